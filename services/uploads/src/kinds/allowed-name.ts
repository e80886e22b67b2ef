/** Whether a name may be uploaded: its ending is on the list and hides no executable one. */
import { endingOf, KINDS } from './kind-table.ts';

/**
 * Endings that a system, or a web server that looks at every ending, would run.
 *
 * Not `com`, `pl`, `app` and the like: `invoice-example.com.pdf` is an everyday name, and no system
 * runs it for what stands in its middle. As last endings they are refused as every other unknown one.
 */
const EXECUTABLE = new Set(
  `action apk appimage appref-ms asp aspx bash bat bin cer cfm cgi chm class cmd command cpl csh deb diagcab
  dll dmg docm dotm drv dylib ear elf exe fcgi gadget hta htaccess htpasswd inf ins iso isp jar jnlp job jse
  jsp jspx ksh lnk mht mhtml msc msi msix msp mst ocx ops osx php php2 php3 php4 php5 php6 php7 php8 phar phps
  pht phtm phtml pif potm ppam ppsm pptm ps1 ps1xml ps2 psc1 psd1 psm1 reg rgs rpm run scf scr sct shb shs
  shtm shtml sldm so svgz swf sys url vb vbe vbs vbscript vxd war wasm workflow ws wsc wsf wsh xbap xhtml xla
  xlam xll xlsb xlsm xltm xpi xsl zsh sh`.split(/\s+/),
);

/** Takes a name that was made safe. */
export function allowedName(name: string): boolean {
  return KINDS.has(endingOf(name)) && !innerEndings(name).some(isExecutable);
}

/** The endings between the stem and the last one, as a reader would see them. */
function innerEndings(name: string): string[] {
  // NFKC makes one of the dots and letters that only look alike; joiners are seen by nobody.
  const plain = name
    .normalize('NFKC')
    .replace(/\p{Cf}/gu, '')
    .toLowerCase();
  return plain.split('.').slice(1, -1);
}

/** `php%00`, `exe_`, `exe ` count: what follows is cut off by one system or the other. */
function isExecutable(ending: string): boolean {
  const word = /^[a-z0-9-]*/.exec(ending.trim())?.[0] ?? '';
  return EXECUTABLE.has(word);
}

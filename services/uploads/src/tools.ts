/** The rooms that judge, scan and read files, as the settings want them. */
import { ConfigError } from '@natter/runtime/config';
import { clamdSetting, scansFiles, type UploadsConfig } from './config.ts';
import { kinds } from './kinds/kinds.ts';
import type { Kinds, Scanner, TextExtractor } from './ports.ts';
import { createClamdScanner } from './scan/clamd-scanner.ts';
import { noScanner } from './scan/no-scanner.ts';
import { createTextExtractor } from './text/extractor.ts';

export interface Tools {
  kinds: Kinds;
  scanner: Scanner;
  extractor: TextExtractor;
}

type ToolsConfig = Pick<UploadsConfig, 'env' | 'virusScan' | 'clamd' | 'textExtraction'>;

export function openTools(config: ToolsConfig): Tools {
  return {
    kinds,
    scanner: openScanner(config),
    extractor: config.textExtraction ? createTextExtractor() : noTexts,
  };
}

/** For NATTER_TEXT_EXTRACTION=false: no file has a text. */
const noTexts: TextExtractor = { extract: async () => null, close: async () => undefined };

function openScanner(config: ToolsConfig): Scanner {
  if (!scansFiles(config)) return noScanner;
  const address = clamdSetting(config.clamd);
  if (address === null) throw new ConfigError(['NATTER_CLAMD must be tcp://host:port or unix:/path']);
  return createClamdScanner({ address });
}

/** Runs the demo model as this process until SIGTERM, SIGINT or the death of its parent. */
import { startDemoModel } from './app.ts';
import { readConfig } from './config.ts';

const onError = (error: unknown) =>
  process.stderr.write(`demo-model: ${error instanceof Error ? error.stack : String(error)}\n`);

try {
  const model = await startDemoModel({ host: '127.0.0.1', ...readConfig(process.env), onError });
  const stop = () => {
    model.close().then(
      () => process.exit(0),
      (error: unknown) => {
        onError(error);
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // A supervisor that is killed can't stop us; its end of the channel closes with it.
  process.on('disconnect', stop);
  process.send?.({ ready: { http: model.port } });
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`demo-model: ${message}\n`);
  const exit = () => process.exit(1);
  // The message must have left before the process does.
  if (process.send) process.send({ failed: message }, exit);
  else exit();
}

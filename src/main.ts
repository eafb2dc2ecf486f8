#!/usr/bin/env node
// Nothing but built-in names may be used before the version is known: an old Node must get as far as the sentence below.
const wanted = 24;
const found = Number(process.versions.node.split('.')[0]);
if (found < wanted) {
  process.stderr.write(
    `Ferry needs Node ${wanted} or newer and runs on ${process.versions.node}. Nothing was done.\n` +
      `  Install it from https://nodejs.org, or with your version switcher:  nvm install ${wanted}\n`,
  );
  process.exitCode = 64;
} else {
  quietExperiments();
  // A reader that went away (ferry log | head) is no reason to stop a run.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
  const { runCli } = await import('./cli/program.ts');
  process.exitCode = await runCli(process.argv.slice(2), {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    signals: process,
    loadWire: async () => (await import('./cli/wire.ts')).wire,
    leave: (code) => process.exit(code),
  });
}

/** Keeps the warning that node:sqlite is experimental off the screen; every other warning is shown as Node shows it. */
function quietExperiments(): void {
  const shown = process.listeners('warning');
  process.removeAllListeners('warning');
  process.on('warning', (warning) => {
    if (warning.name === 'ExperimentalWarning' && warning.message.includes('SQLite')) return;
    for (const show of shown) show.call(process, warning);
  });
}

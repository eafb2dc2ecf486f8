import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { readFolder, readInput } from '../../src/cli/places.ts';
import type { Diagnostic } from '../../src/errors/diagnostic.ts';
import { formatDiagnostics } from '../../src/errors/format-diagnostics.ts';
import type { HostSettings, Inventory, InventorySurroundings, SourceText } from '../../src/inventory/inventory.ts';
import { loadInventory } from '../../src/inventory/load.ts';
import { settleHosts } from '../../src/inventory/settle.ts';

/** The account's home, where ssh itself looks. */
export const HOME = userInfo().homedir;

/** Inventories and ssh configurations as files in a folder of their own, read as Ferry reads them, with the real ssh. */
export class InventoryFolder {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'ferry-inventory-')));
  readonly env: Record<string, string | undefined> = { PATH: process.env.PATH, USER: 'me' };

  /** Writes files; `{dir}` stands for the folder in their text. Gives the path of the first. */
  write(files: Readonly<Record<string, string>>): string {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(this.folder, name)), { recursive: true });
      writeFileSync(join(this.folder, name), text.replaceAll('{dir}', this.folder), { mode: 0o600 });
    }
    return join(this.folder, Object.keys(files)[0] ?? '');
  }

  async inventory(files: Readonly<Record<string, string>>): Promise<Inventory> {
    const loaded = await loadInventory(this.write(files), this.#surroundings);
    if ('inventory' in loaded) return loaded.inventory;
    throw new Error(this.#text(loaded));
  }

  /** The hosts of an inventory, those named or all, ready to connect. */
  async hosts(files: Readonly<Record<string, string>>, names?: readonly string[]): Promise<Record<string, HostSettings>> {
    const settled = await this.#settle(files, names);
    if ('hosts' in settled) return Object.fromEntries(settled.hosts);
    throw new Error(this.#text(settled));
  }

  /** What is wrong, each as its code, its place and its message; the folder is shown as `{dir}`. */
  async told(files: Readonly<Record<string, string>>, names?: readonly string[]): Promise<[string, string, string][]> {
    const settled = await this.#settle(files, names);
    return 'hosts' in settled
      ? []
      : settled.diagnostics.map(({ code, at, message }) => [
          code,
          this.#short(at ? `${at.file}:${at.line}:${at.column}` : ''),
          this.#short(message),
        ]);
  }

  /** All that is told, as a person sees it. */
  async shown(files: Readonly<Record<string, string>>, names?: readonly string[]): Promise<string> {
    const settled = await this.#settle(files, names);
    return 'hosts' in settled ? '' : this.#text(settled);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #surroundings(): InventorySurroundings {
    return { readFile: readInput, readFolder, home: HOME, env: this.env };
  }

  async #settle(files: Readonly<Record<string, string>>, names?: readonly string[]) {
    const loaded = await loadInventory(this.write(files), this.#surroundings);
    if (!('inventory' in loaded)) return loaded;
    return settleHosts(loaded.inventory, names ?? loaded.inventory.hosts.keys(), this.#surroundings);
  }

  #text(wrong: { readonly diagnostics: readonly Diagnostic[]; readonly sources: readonly SourceText[] }): string {
    return this.#short(formatDiagnostics(wrong.diagnostics, wrong.sources));
  }

  #short(text: string): string {
    return text.replaceAll(this.folder, '{dir}');
  }
}

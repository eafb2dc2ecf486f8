import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { PROJECT } from '../../src/dev/action-files.ts';

export interface Position {
  readonly line: number;
  readonly character: number;
}
export interface Finding {
  readonly message: string;
  readonly range: { readonly start: Position; readonly end: Position };
}
export interface Completion {
  readonly label: string;
  readonly insertText?: string;
  readonly documentation?: string | { readonly value: string };
}
/** A file as an editor has it open. */
export interface OpenFile {
  /** What the server finds wrong with it. */
  readonly findings: readonly Finding[];
  complete(position: Position): Promise<Completion[]>;
  /** The text shown for what stands at the position; null when there is none. */
  hover(position: Position): Promise<string | null>;
}
interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

// What an editor that was told nothing sends, but without the catalogue of schemas on the web.
const SETTINGS: Record<string, unknown> = {
  yaml: { validate: true, hover: true, completion: true, schemaStore: { enable: false }, kubernetesCRDStore: { enable: false } },
  http: {},
  editor: { tabSize: 2 },
  files: {},
  '[yaml]': {},
};

/** The real yaml-language-server as an editor has it: spoken to over its stdin and stdout, in the protocol of language servers. */
export class LanguageServer {
  readonly #child = spawn(
    process.execPath,
    [join(PROJECT, 'node_modules', 'yaml-language-server', 'bin', 'yaml-language-server'), '--stdio'],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  readonly #answers = new Map<number, PromiseWithResolvers<unknown>>();
  readonly #findings = new Map<string, PromiseWithResolvers<unknown>>();
  #unread = Buffer.alloc(0);
  #last = 0;

  constructor() {
    this.#child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#child.on('exit', (code) => {
      for (const { reject } of [...this.#answers.values(), ...this.#findings.values()])
        reject(new Error(`yaml-language-server ended with ${code}`));
    });
  }

  /** Answers once the server is ready. */
  async start(): Promise<void> {
    await this.#ask('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(PROJECT).href,
      capabilities: {
        workspace: { configuration: true },
        textDocument: {
          completion: { completionItem: { snippetSupport: true, documentationFormat: ['markdown', 'plaintext'] } },
          hover: { contentFormat: ['markdown', 'plaintext'] },
        },
      },
    });
    this.#tell('initialized', {});
  }

  /** Opens a text as a file beside `path`, which need not be there; what is read from disk is the schema it names. */
  async open(path: string, text = readFileSync(join(PROJECT, path), 'utf8')): Promise<OpenFile> {
    // A name of its own: what the server says late of another text can then not be taken for what it says of this one.
    const uri = pathToFileURL(join(PROJECT, dirname(path), `${++this.#last}-${basename(path)}`)).href;
    const found = Promise.withResolvers<unknown>();
    this.#findings.set(uri, found);
    this.#tell('textDocument/didOpen', { textDocument: { uri, languageId: 'yaml', version: 1, text } });
    const ask = (method: string, position: Position) => this.#ask(method, { textDocument: { uri }, position });
    return {
      findings: (await found.promise) as Finding[],
      complete: async (position) => ((await ask('textDocument/completion', position)) as { items: Completion[] }).items,
      hover: async (position) => {
        const answer = (await ask('textDocument/hover', position)) as { contents: { value: string } } | null;
        return answer?.contents.value ?? null;
      },
    };
  }

  async stop(): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    await this.#ask('shutdown', null);
    this.#tell('exit', null);
    await ended;
  }

  #ask(method: string, params: unknown): Promise<unknown> {
    const id = ++this.#last;
    const answer = Promise.withResolvers<unknown>();
    this.#answers.set(id, answer);
    this.#send({ id, method, params });
    return answer.promise;
  }

  #tell(method: string, params: unknown): void {
    this.#send({ method, params });
  }

  #send(message: Message): void {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  }

  #read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    for (;;) {
      const end = this.#unread.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(this.#unread.toString('latin1', 0, end))?.[1]);
      if (this.#unread.length < end + 4 + length) return;
      const body = this.#unread.toString('utf8', end + 4, end + 4 + length);
      this.#unread = this.#unread.subarray(end + 4 + length);
      this.#hear(JSON.parse(body) as Message);
    }
  }

  #hear({ id, method, params, result, error }: Message): void {
    if (method === 'textDocument/publishDiagnostics') {
      const { uri, diagnostics } = params as { uri: string; diagnostics: Finding[] };
      this.#findings.get(uri)?.resolve(diagnostics);
    } else if (method === 'workspace/configuration' && id !== undefined) {
      const { items } = params as { items: { section: string }[] };
      this.#send({ id, result: items.map(({ section }) => SETTINGS[section] ?? null) });
    } else if (method !== undefined && id !== undefined) {
      this.#send({ id, result: null });
    } else if (id !== undefined) {
      const answer = this.#answers.get(id);
      this.#answers.delete(id);
      if (error) answer?.reject(new Error(error.message));
      else answer?.resolve(result);
    }
  }
}

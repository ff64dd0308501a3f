import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const WAIT_MS = 20_000;

/** @throws Error where there is none: a browser test without a browser has failed. */
function executable(): string {
  const folders = (process.env.PATH ?? '').split(path.delimiter);
  const found = [process.env.CHROMIUM, ...NAMES.flatMap((name) => folders.map((folder) => path.join(folder, name)))];
  const file = found.find((one) => one && fs.existsSync(one));
  if (!file) throw new Error('no Chromium was found: install one, or name it by CHROMIUM');
  return file;
}

/** A real browser without a window, spoken to by its own debugging protocol. */
export class Chromium {
  private constructor(
    private readonly child: ChildProcess,
    private readonly profile: string,
    private readonly port: number,
  ) {}

  static async start(): Promise<Chromium> {
    const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'drawdown-browser-'));
    const flags = [
      '--headless=new',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--force-color-profile=srgb',
    ];
    const child = spawn(
      executable(),
      [...flags, '--remote-debugging-port=0', `--user-data-dir=${profile}`, '--window-size=900,1000', 'about:blank'],
      { stdio: 'ignore' },
    );
    const told = path.join(profile, 'DevToolsActivePort');
    for (let waited = 0; !fs.existsSync(told) || fs.readFileSync(told, 'utf8') === ''; waited += 50) {
      if (child.exitCode !== null || waited > WAIT_MS) throw new Error('Chromium did not start');
      await sleep(50);
    }
    return new Chromium(child, profile, Number(fs.readFileSync(told, 'utf8').split('\n')[0]));
  }

  async open(url: string): Promise<Page> {
    const answer = await fetch(`http://127.0.0.1:${this.port}/json/new`, { method: 'PUT' });
    const { webSocketDebuggerUrl } = (await answer.json()) as { webSocketDebuggerUrl: string };
    const page = await Page.attach(webSocketDebuggerUrl);
    await page.go(url);
    return page;
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await gone;
    fs.rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

interface Reply {
  readonly id?: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** A tab, used as a person uses it: by what can be read on it. */
export class Page {
  private asked = 0;
  private readonly waiting = new Map<number, (reply: Reply) => void>();

  private constructor(private readonly socket: WebSocket) {
    socket.addEventListener('message', ({ data }) => {
      const reply = JSON.parse(String(data)) as Reply;
      if (reply.id !== undefined) this.waiting.get(reply.id)?.(reply);
    });
  }

  static async attach(url: string): Promise<Page> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve);
      socket.addEventListener('error', reject);
    });
    const page = new Page(socket);
    await page.send('Page.enable');
    await page.send('Runtime.enable');
    return page;
  }

  async go(url: string): Promise<void> {
    await this.send('Page.navigate', { url });
    await this.until(`document.readyState === 'complete' && location.href !== 'about:blank'`);
  }

  /** Types over what stands in the field with this label. */
  async fill(label: string, text: string): Promise<void> {
    await this.evaluate(`(() => {
      const label = [...document.querySelectorAll('label')].find((one) => one.textContent.includes(${JSON.stringify(label)}));
      const field = document.getElementById(label.htmlFor);
      field.focus();
      field.select();
    })()`);
    await this.send('Input.insertText', { text });
  }

  /** Clicks, with the mouse, on the button or link of this text; what it leads to has been loaded afterwards. */
  async press(text: string): Promise<void> {
    const at = (await this.evaluate(`(() => {
      window.leaving = true;
      const found = [...document.querySelectorAll('button, a')].find((one) => one.textContent.includes(${JSON.stringify(text)}));
      found.scrollIntoView({ block: 'center' });
      const { x, y, width, height } = found.getBoundingClientRect();
      return { x: x + width / 2, y: y + height / 2 };
    })()`)) as { x: number; y: number };
    const mouse = { ...at, button: 'left', clickCount: 1 };
    await this.send('Input.dispatchMouseEvent', { type: 'mousePressed', ...mouse });
    await this.send('Input.dispatchMouseEvent', { type: 'mouseReleased', ...mouse });
    await this.until(`document.readyState === 'complete' && !window.leaving`);
  }

  text(): Promise<string> {
    return this.evaluate('document.body.innerText') as Promise<string>;
  }

  address(): Promise<string> {
    return this.evaluate('location.href') as Promise<string>;
  }

  async screenshot(file: string): Promise<void> {
    const { data } = (await this.send('Page.captureScreenshot', { format: 'png' })) as { data: string };
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, Buffer.from(data, 'base64'));
  }

  /** As a phone or another theme would show it. */
  async look(width: number, theme: 'light' | 'dark'): Promise<void> {
    await this.send('Emulation.setDeviceMetricsOverride', { width, height: 1000, deviceScaleFactor: 1, mobile: false });
    await this.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: theme }] });
  }

  private async until(condition: string): Promise<void> {
    for (let waited = 0; waited < WAIT_MS; waited += 50) {
      const holds = await this.evaluate(`Boolean(${condition})`).catch(() => false);
      if (holds) return;
      await sleep(50);
    }
    throw new Error(`waited in vain for ${condition} at ${await this.address()}`);
  }

  private async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = (await this.send('Runtime.evaluate', {
      expression,
      returnByValue: true,
      awaitPromise: true,
    })) as { result: { value?: unknown }; exceptionDetails?: { exception?: { description?: string } } };
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? 'the page threw');
    return result.value;
  }

  private send(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.asked;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ result, error }) => {
        this.waiting.delete(id);
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result);
      });
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }
}

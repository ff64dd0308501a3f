import http from 'node:http';
import type { AddressInfo } from 'node:net';

/** The one address Stripe knows, whatever process stands behind it: nobody, when it is dead. */
export class WebhookRelay {
  target: string | null = null;
  /** How often each delivery arrives, at the same time. */
  copies = 1;
  private readonly server: http.Server;

  private constructor() {
    this.server = http.createServer((request, response) => {
      this.pass(request).then(
        (status) => response.writeHead(status).end(),
        () => response.destroy(),
      );
    });
  }

  static async start(): Promise<WebhookRelay> {
    const relay = new WebhookRelay();
    await new Promise<void>((resolve) => relay.server.listen(0, '127.0.0.1', resolve));
    return relay;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  close(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }

  private async pass(request: http.IncomingMessage): Promise<number> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const headers = {
      'content-type': 'application/json',
      'stripe-signature': String(request.headers['stripe-signature']),
    };
    const sent = Array.from({ length: this.copies }, async () => {
      if (this.target === null) throw new Error('nobody is there');
      const body = Buffer.concat(chunks);
      const answer = await fetch(`${this.target}${request.url}`, { method: 'POST', headers, body });
      await answer.body?.cancel();
      return answer.status;
    });
    return Math.max(...(await Promise.all(sent)));
  }
}

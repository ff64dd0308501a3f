/** A client of the public API, nothing more: the demo sees what any customer of the API sees. */
export class Api {
  constructor(
    readonly url: string,
    private readonly key: string,
  ) {}

  get<T>(path: string): Promise<T> {
    return this.send('GET', path);
  }

  /** `T` is the shape of the answer the story relies on. */
  post<T>(path: string, body: object): Promise<T> {
    return this.send('POST', path, body);
  }

  private async send<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(`${this.url}/v1${path}`, {
      method,
      headers: { 'x-api-key': this.key, 'content-type': 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
      signal: AbortSignal.timeout(60_000),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }
}

/** Pays on the hosted page as a person does: types a card number and presses the button. */
export async function useHostedPage(pageUrl: string, card = '4242 4242 4242 4242'): Promise<void> {
  const answer = await fetch(pageUrl, {
    method: 'POST',
    body: new URLSearchParams({ number: card, expiry: '12 / 34', cvc: '123', name: 'Ada Buyer' }),
    redirect: 'manual',
    signal: AbortSignal.timeout(30_000),
  });
  if (answer.status !== 303) throw new Error(`the hosted page answered ${answer.status}`);
}

import { createHmac } from 'node:crypto';

/** `t=<unix s>,v1=<hex>`, one `v1` per secret: HMAC-SHA256 over `t.body`. */
export function signatureHeader(body: string, secrets: string[], timestamp: number): string {
  const signatures = secrets.map((secret) => createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex'));
  return [`t=${timestamp}`, ...signatures.map((signature) => `v1=${signature}`)].join(',');
}

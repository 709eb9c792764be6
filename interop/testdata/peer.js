// The Node peer: echo servers and clients on Node's tls module, one for each cell, in
// one process, since that starts slowly. Each line of its input is a cell's settings as
// JSON, or the number of a cell to stop. It prints lines of JSON with the cell's number
// id and either out, a line of the cell's output, or err, or ended, whether all went well.
// A cell's output is a line of JSON for each connection that closed as it should.
'use strict';
const tls = require('tls');
const fs = require('fs');
const crypto = require('crypto');
const readline = require('readline');

const cells = new Map(); // by number: what ends each, with a reason or without
const send = (o) => process.stdout.write(JSON.stringify(o) + '\n');

function run(s) {
  const open = new Set(); // sockets and the server
  const end = (ok) => {
    if (!cells.delete(s.id)) return;
    for (const c of open) (c.destroy || c.close).call(c);
    send({ id: s.id, ended: ok });
  };
  const say = (o) => cells.has(s.id) && send({ id: s.id, out: JSON.stringify(o) });
  const fail = (e) => {
    if (cells.has(s.id)) send({ id: s.id, err: String(e.stack || e) });
    end(false);
  };
  cells.set(s.id, (e) => (e ? fail(e) : end(true)));
  try { (s.serve ? serve : connect)(s, { open, say, fail, end }, settings(s)); } catch (e) { fail(e); }
}

function settings(s) {
  const options = {
    minVersion: s.version, maxVersion: s.version, ciphers: s.ciphers, ecdhCurve: s.groups,
    ca: fs.readFileSync(s.ca), sigalgs: s.sigalgs || undefined,
    ALPNProtocols: s.alpn ? [s.alpn] : undefined,
    secureOptions: s.noTicket ? crypto.constants.SSL_OP_NO_TICKET : 0,
  };
  if (s.psk) {
    const psk = Buffer.from(s.psk, 'hex');
    options.pskIdentityHint = s.hint;
    options.pskCallback = s.serve
      ? (c, identity) => (identity === s.identity ? psk : null)
      : (hint) => ((hint || undefined) === s.hint ? { psk, identity: s.identity } : null);
    options.checkServerIdentity = (name, cert) => (cert && cert.raw ? tls.checkServerIdentity(name, cert) : undefined);
  }
  if (s.dhparam) options.dhparam = fs.readFileSync(s.dhparam);
  if (s.key) {
    options.key = fs.readFileSync(s.key);
    options.cert = fs.readFileSync(s.cert);
  }
  return options;
}

const facts = (c) => ({
  version: c.getProtocol(), suite: c.getCipher().standardName, reused: c.isSessionReused(),
  alpn: c.alpnProtocol || '', sni: c.servername || '', group: (c.getEphemeralKeyInfo() || {}).name || '',
  peer: Boolean(c.getPeerCertificate() && c.getPeerCertificate().raw), authorized: c.authorized,
});

function serve(s, { open, say, fail }, options) {
  const server = tls.createServer({
    ...options, requestCert: s.auth === 'request' || s.auth === 'require', rejectUnauthorized: s.auth === 'require', sessionIdContext: 'interop',
  }, (c) => {
    const f = facts(c);
    c.on('end', () => say(f)); // only a close_notify ends the stream without an error
    c.on('error', fail);
    if (s.renegotiate || s.later) {
      const demands = { requestCert: s.auth !== '', rejectUnauthorized: s.auth === 'require' || s.later };
      const again = () => c.renegotiate(demands, (e) => {
        if (e) fail(e);
        else if (s.later && !c.getPeerCertificate().raw) fail(new Error('no certificate was shown'));
      });
      c.once('data', () => setImmediate(again)); // at once, it would have more data overtake this
    }
    c.pipe(c);
  });
  const sessions = new Map();
  server.on('newSession', (id, data, done) => { sessions.set(id.toString('hex'), data); done(); });
  server.on('resumeSession', (id, done) => done(null, sessions.get(id.toString('hex')) || null));
  server.on('connection', (c) => open.add(c));
  server.on('tlsClientError', fail);
  open.add(server);
  server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
}

function connect(s, cell, options, left = s.connections, session = undefined) {
  const { open, say, fail, end } = cell;
  const payload = fs.readFileSync(s.payload);
  const c = tls.connect({ ...options, host: '127.0.0.1', port: s.port, servername: s.name, session }, () => c.write(payload));
  open.add(c);
  let got = Buffer.alloc(0);
  let next = session;
  let rounds = s.rounds;
  const finish = () => {
    if (rounds === 0 || got.length < payload.length || (left > 1 && !next)) return;
    if (!got.equals(payload)) fail(new Error('other data came back than was sent'));
    got = Buffer.alloc(0);
    rounds--;
    if (rounds > 0 && s.renegotiate) { c.renegotiate({}, (e) => { if (e) fail(e); else c.write(payload); }); return; }
    if (rounds > 0) { c.write(payload); return; }
    say(facts(c));
    c.end();
  };
  c.on('data', (d) => { got = Buffer.concat([got, d]); finish(); });
  c.on('session', (d) => { next = d; finish(); });
  c.on('error', fail);
  c.on('close', () => {
    if (left === 1) end(true);
    else if (cells.has(s.id)) connect(s, cell, options, left - 1, next);
  });
}

process.on('uncaughtException', (e) => { for (const end of cells.values()) end(e); });
readline.createInterface({ input: process.stdin }).on('line', (line) => {
  const s = JSON.parse(line);
  if (typeof s !== 'number') run(s); else if (cells.has(s)) cells.get(s)();
}).on('close', () => process.exit(0));

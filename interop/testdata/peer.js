// The Node peer: an echo server or a client on Node's tls module. It reads its
// settings as JSON from its argument and prints one line of JSON for each
// connection that closed as it should.
'use strict';
const tls = require('tls');
const fs = require('fs');
const crypto = require('crypto');

const s = JSON.parse(process.argv[2]);
const say = (o) => process.stdout.write(JSON.stringify(o) + '\n');
const fail = (e) => { process.stderr.write(String(e.stack || e) + '\n'); process.exit(1); };

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

const facts = (c) => ({
  version: c.getProtocol(), suite: c.getCipher().standardName, reused: c.isSessionReused(),
  alpn: c.alpnProtocol || '', sni: c.servername || '', group: (c.getEphemeralKeyInfo() || {}).name || '',
  peer: Boolean(c.getPeerCertificate() && c.getPeerCertificate().raw), authorized: c.authorized,
});

function serve() {
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
        if (s.later && !c.getPeerCertificate().raw) fail(new Error('no certificate was shown'));
      });
      c.once('data', () => setImmediate(again)); // at once, it would have more data overtake this
    }
    c.pipe(c);
  });
  const sessions = new Map();
  server.on('newSession', (id, data, done) => { sessions.set(id.toString('hex'), data); done(); });
  server.on('resumeSession', (id, done) => done(null, sessions.get(id.toString('hex')) || null));
  server.on('tlsClientError', fail);
  server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));
}

function connect(left, session) {
  const payload = fs.readFileSync(s.payload);
  const c = tls.connect({ ...options, host: '127.0.0.1', port: s.port, servername: s.name, session }, () => c.write(payload));
  let got = Buffer.alloc(0);
  let next = session;
  let rounds = s.rounds;
  const finish = () => {
    if (rounds === 0 || got.length < payload.length || (left > 1 && !next)) return;
    if (!got.equals(payload)) fail(new Error('other data came back than was sent'));
    got = Buffer.alloc(0);
    rounds--;
    if (rounds > 0 && s.renegotiate) { c.renegotiate({}, (e) => { if (e) fail(e); c.write(payload); }); return; }
    if (rounds > 0) { c.write(payload); return; }
    say(facts(c));
    c.end();
  };
  c.on('data', (d) => { got = Buffer.concat([got, d]); finish(); });
  c.on('session', (d) => { next = d; finish(); });
  c.on('error', fail);
  c.on('close', () => { if (left > 1) connect(left - 1, next); });
}

if (s.serve) serve(); else connect(s.connections);

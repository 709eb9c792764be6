package passive

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"slices"

	"github.com/vitrine-tls/vitrine/internal/kex"
	"github.com/vitrine-tls/vitrine/internal/keys"
	"github.com/vitrine-tls/vitrine/internal/record"
	"github.com/vitrine-tls/vitrine/trace"
	"github.com/vitrine-tls/vitrine/wire"
)

// secret reports a secret.
func (l *Listener) secret(hs *handshake, x trace.Secret) {
	hs.told[x.Name] = true
	if l.hooks != nil && l.hooks.Secret != nil {
		l.hooks.Secret(x)
	}
}

// fromLog marks a secret that a key log gives, and with which the account begins.
const fromLog = "key log"

// findMaster looks for the master secret of hs, by all that is known. It may be called
// again: what a listener knows may have grown.
func (l *Listener) findMaster(hs *handshake) {
	if hs == nil || hs.master != nil || hs.schedule == nil || hs.suite == nil || hs.answer == nil || hs.hello == nil {
		return
	}
	switch logged := l.keys.secret(logMaster, hs.random()); {
	case len(logged) == keys.MasterSecretLen:
		how, ref := fromLog, "RFC 9850 §2"
		if hs.resumed {
			how, ref = "resumed", "RFC 5246 §7.3"
		}
		hs.source = "the key log"
		l.setMaster(hs, logged, trace.Secret{How: how, Ref: ref})
	case hs.resumed:
		if x, ok := l.sessionOf(hs); ok {
			hs.source = "the connection that it resumes"
			l.setMaster(hs, x.secret, trace.Secret{How: "resumed", Ref: "RFC 5246 §7.3"})
		}
	case hs.exchanged:
		l.fromPremaster(hs)
	}
}

// sessionOf finds the session that hs resumes, by its ticket or its ID.
func (l *Listener) sessionOf(hs *handshake) (x left, ok bool) {
	ticket, _ := hs.hello.Extensions.Find(wire.ExtSessionTicket)
	for _, name := range [][]byte{ticket, hs.hello.SessionID} {
		if x, ok = l.sessions.get(name); ok && x.suite == hs.suite {
			return x, true
		}
	}
	return left{}, false
}

// fromPremaster derives the master secret where the premaster can be found.
func (l *Listener) fromPremaster(hs *handshake) {
	extended := hs.uses(wire.ExtExtendedMasterSecret)
	if extended && (hs.torn || hs.session == nil || hs.schedule.ExtendedMaster == nil) {
		return
	}
	told, premaster := l.premaster(hs)
	if premaster == nil {
		return
	}
	for _, x := range told {
		l.secret(hs, x)
	}
	h := hs.hash()
	x := trace.Secret{How: "PRF", From: "premaster_secret", Hash: h.Name}
	var master []byte
	if extended {
		master = hs.schedule.ExtendedMaster(h, nil, premaster, hs.session)
		x.Label, x.Input, x.InputIs, x.Ref = keys.LabelExtendedMasterSecret, hs.session, "ClientHello..ClientKeyExchange", "RFC 7627 §4"
	} else {
		master = hs.schedule.Master(h, nil, premaster, hs.hello.Random, hs.answer.Random)
		x.Label, x.InputIs, x.Ref = hs.schedule.Label(keys.LabelMasterSecret), "client_random + server_random", "RFC 5246 §8.1"
		x.Input = slices.Concat(hs.hello.Random, hs.answer.Random)
	}
	l.setMaster(hs, master, x)
}

// premaster finds the premaster, and tells what the engine would of how it is made.
func (l *Listener) premaster(hs *handshake) (told []trace.Secret, premaster []byte) {
	kx := hs.suite.KeyExchange
	x := trace.Secret{Name: "premaster_secret", How: kx.String(), Ref: "RFC 5246 §8.1"}
	switch logged := l.keys.secret(logPremaster, hs.random()); {
	case logged != nil:
		x.Value, x.How, hs.source = logged, fromLog, "the key log"
		if !kx.PSK() {
			return []trace.Secret{x}, logged
		}
		return nil, nil // how it is made of the pre-shared key is not known
	case kx.PSK():
		return l.pskPremaster(hs, x)
	case kx.Encrypted():
		x.Value = l.decrypt(hs)
		return []trace.Secret{x}, x.Value
	}
	return nil, nil
}

// pskPremaster joins a pre-shared key with what goes before it. RFC 4279 §2, §4.
func (l *Listener) pskPremaster(hs *handshake, x trace.Secret) (told []trace.Secret, premaster []byte) {
	kx := hs.suite.KeyExchange
	key := l.keys.psk(hs.exchange.Identity)
	if key == nil || kx.Share() != wire.ShareNone {
		return nil, nil
	}
	other, how := make([]byte, len(key)), "zeros"
	if kx.Encrypted() {
		if other, how = l.decrypt(hs), kx.String(); other == nil {
			return nil, nil
		}
	}
	hs.source = "the pre-shared key"
	x.Value = kex.PSKPremaster(nil, other, key)
	x.From, x.Salt, x.Ref = "psk", "other_secret", "RFC 4279 §2"
	return []trace.Secret{
		{Name: "psk", How: "PSK", Value: key, Ref: "RFC 4279 §2"},
		{Name: "other_secret", How: how, Value: other, Ref: "RFC 4279 §2"}, x,
	}, x.Value
}

// decrypt opens the premaster that the client has encrypted, nil where no key does. The
// version in it is not judged: that is the server's part, and the account's.
func (l *Listener) decrypt(hs *handshake) []byte {
	sealed := hs.exchange.Exchange
	if len(sealed) < rsaPrefixLen {
		return nil
	}
	if logged := l.keys.secret(logRSA, sealed[:rsaPrefixLen]); len(logged) == kex.PremasterLen {
		hs.source = "the key log"
		return logged
	}
	all := l.keys.rsaKeys()
	if hs.opened == len(all) {
		return nil // nothing has changed since
	}
	hs.opened = len(all)
	for _, key := range all {
		public, ok := key.Public().(*rsa.PublicKey)
		if !ok || len(sealed) != public.Size() || !hs.shows(public) {
			continue
		}
		//lint:ignore SA1019 the protocol is PKCS #1 v1.5
		premaster, err := key.Decrypt(rand.Reader, sealed, &rsa.PKCS1v15DecryptOptions{})
		if err == nil && len(premaster) == kex.PremasterLen {
			hs.source = "the RSA key"
			return premaster
		}
	}
	return nil
}

// shows reports that the server's certificate has that key, or was not seen.
func (hs *handshake) shows(public *rsa.PublicKey) bool {
	cert, err := x509.ParseCertificate(hs.leaf)
	return err != nil || public.Equal(cert.PublicKey)
}

func (k *Keys) rsaKeys() []crypto.Decrypter {
	if k == nil {
		return nil
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	return k.rsa[:len(k.rsa):len(k.rsa)]
}

// setMaster reports the master secret, and derives and reports the key block.
func (l *Listener) setMaster(hs *handshake, master []byte, x trace.Secret) {
	hs.master = bytes.Clone(master)
	x.Name, x.Value = "master_secret", hs.master
	l.secret(hs, x)
	schedule := hs.schedule
	block := make([]byte, 0, schedule.KeyBlockLen(hs.suite))
	hs.block = schedule.KeyBlock(hs.suite, block, hs.master, hs.hello.Random, hs.answer.Random)
	l.secret(hs, trace.Secret{Name: "key_block", How: "PRF", From: "master_secret", Label: schedule.Label(keys.LabelKeyExpansion),
		Input: slices.Concat(hs.answer.Random, hs.hello.Random), InputIs: "server_random + client_random",
		Hash: hs.hash().Name, Value: block[:cap(block)], Ref: "RFC 5246 §6.3"})
	if hs.complete() {
		l.completed12(hs)
	}
}

// opener12 makes what opens a side's records after its change_cipher_spec; nil where
// the keys are not known.
func (l *Listener) opener12(hs *handshake, from wire.Role) *opener {
	l.findMaster(hs)
	if hs == nil || hs.master == nil {
		return nil
	}
	p := record.Params{Version: hs.version, Suite: hs.suite, EncryptThenMAC: hs.uses(wire.ExtEncryptThenMAC) && hs.suite.Cipher.BlockLen > 0,
		Compression: hs.answer.CompressionMethod}
	b, label := &hs.block, "client write"
	if p.Key, p.IV, p.MAC = b.ClientKey, b.ClientIV, b.ClientMAC; from == wire.Server {
		p.Key, p.IV, p.MAC, label = b.ServerKey, b.ServerIV, b.ServerMAC, "server write"
	}
	o := newOpener(p)
	o.name, o.label, o.source = "key_block", label, hs.source
	return o
}

// finished12 reports what a side's Finished should say.
func (l *Listener) finished12(hs *handshake, from wire.Role) {
	l.findMaster(hs)
	if hs.master == nil || hs.torn || hs.transcript.hash == nil {
		return
	}
	name, label := "client_verify_data", keys.LabelClientFinished
	if from == wire.Server {
		name, label = "server_verify_data", keys.LabelServerFinished
	}
	h := hs.hash()
	l.secret(hs, trace.Secret{Name: name, How: "PRF", From: "master_secret", Label: hs.schedule.Label(label), Input: hs.transcript.sum(),
		InputIs: "the handshake so far", Hash: h.Name, Ref: "RFC 5246 §7.4.9",
		Value: hs.schedule.Finished(h, nil, hs.master, from, hs.transcript.hash)})
}

// completed12 keeps the session for connections that resume it.
func (l *Listener) completed12(hs *handshake) {
	l.sum.Complete = true
	if hs.answer == nil {
		return
	}
	x := left{hs.master, hs.suite}
	l.sessions.put(hs.answer.SessionID, x)
	l.sessions.put(hs.ticket, x)
}

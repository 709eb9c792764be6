package lab

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
	"github.com/vitrine-tls/vitrine/wire"
)

// Attacks that ask a server question after question, and learn from its answers.

var bleichenbacher = &Experiment{
	Name: "bleichenbacher", Title: "Bleichenbacher's question, and the answer that tells nothing",
	Story: []string{
		"With RSA key exchange a server decrypts what anybody sends it. Whether what comes out looks right, 00 02 and so on, is one bit of knowledge about the number. In 1998 Daniel Bleichenbacher showed that a million such bits are enough to decrypt a recorded premaster secret.",
		"It was found again and again: the server told by its alert, by its silence, by its time (ROBOT in 2017, Marvin in 2023).",
		"Here the attacker sends ciphertexts of different kinds in the client's place. One decrypts to something well formed, others to what is too short, too long, of another version, or to nothing that makes sense.",
	},
	Look:   "All runs but the first: the answer comes at the same record, by the same rule, with the same alert.",
	Answer: "A random premaster replaces a wrong one without a branch. So the handshake goes on and fails at the Finished, whatever was wrong. Better, do without RSA key exchange: the library has it behind Legacy.RSAKeyExchange.",
	Refs:   []string{"RFC 5246 §7.4.7.1", "RFC 8017 §7.2.2", "CVE-2017-13099"},
	measure: func(ctx context.Context, p *Played) error {
		s := Setup{Suites: []string{rsaCBC}}
		first, err := p.add(ctx, "Nobody asks", s, nil)
		if err != nil {
			return err
		}
		key, err := serverKey()
		if err != nil {
			return err
		}
		at := wire.RecordHeaderLen + len(messageOf(first.Client, "client", "ClientKeyExchange").Raw) - key.Size()
		for _, q := range questions {
			text, err := q.make(&key.PublicKey)
			if err != nil {
				return err
			}
			if _, err := p.add(ctx, q.title, s, &Deviation{Kind: "replace", From: "client", At: 2, Byte: at, Text: text}); err != nil {
				return err
			}
		}
		answers := map[string]bool{}
		for _, x := range p.Runs[1:] {
			answers[answerTo(x.Result)] = true
		}
		p.fact("questions", "kinds of ciphertexts that were sent", len(questions))
		p.fact("answers", "different answers that came", len(answers))
		return nil
	},
	claims: []claim{
		{"The right premaster secret is accepted.", came(0, Honest, "", "")},
		{"To each of the others the server's answer is the same, in kind, number and order.", func(p *Played) bool { return p.facts["answers"] == 1 }},
		{"It comes at the Finished, as a record that does not open, and not at the ClientKeyExchange.", func(p *Played) bool {
			for n := range p.Runs[1:] {
				if !came(n+1, Refused, "server", "bad_record_mac")(p) || p.finding(n+1).Message != "" {
					return false
				}
			}
			return true
		}},
	},
}

// questions are what the attacker sends in place of the encrypted premaster secret.
var questions = []struct {
	title string
	make  func(*rsa.PublicKey) (text string, err error)
}{
	{"Well formed, but another secret", premasterOf(48, 3, 3)},
	{"Well formed, for another version", premasterOf(48, 3, 0)},
	{"A secret of 47 bytes", premasterOf(47, 3, 3)},
	{"A secret of 49 bytes", premasterOf(49, 3, 3)},
	{"No secret at all", premasterOf(2, 3, 3)},
	{"Something that decrypts to nothing that makes sense", func(k *rsa.PublicKey) (string, error) {
		b := make([]byte, k.Size())
		_, err := rand.Read(b)
		b[0] = 0 // below the modulus
		return hex.EncodeToString(b), err
	}},
	{"Zero", func(k *rsa.PublicKey) (string, error) { return strings.Repeat("00", k.Size()), nil }},
	{"A number above the modulus", func(k *rsa.PublicKey) (string, error) { return strings.Repeat("ff", k.Size()), nil }},
}

func premasterOf(n int, version ...byte) func(*rsa.PublicKey) (string, error) {
	return func(k *rsa.PublicKey) (string, error) {
		b := make([]byte, n)
		if _, err := rand.Read(b); err != nil {
			return "", err
		}
		copy(b, version)
		//lint:ignore SA1019 it is what the key exchange has
		c, err := rsa.EncryptPKCS1v15(rand.Reader, k, b)
		return hex.EncodeToString(c), err
	}
}

// answerTo is all that a server did after the ClientKeyExchange: the types and lengths of
// its records, and the rule that it gave itself.
func answerTo(r *Result) string {
	seen := ""
	for _, rec := range recordsOf(r.Server, "server")[1:] {
		if seen += fmt.Sprint(rec.Type, len(rec.Wire), ";"); rec.Type == wire.ContentAlert.String() {
			seen += rec.Plain.String()
		}
	}
	return seen + r.Finding.Rule + r.Finding.Alert
}

var lucky13 = &Experiment{
	Name: "lucky13", Title: "Lucky 13: padding, MAC, and the time in between",
	Story: []string{
		"The CBC suites put the MAC over the data, then padding behind both, and encrypt it all. The receiver decrypts, looks at the padding, takes it off and checks the MAC. Anybody can make it do so with changed bytes.",
		"If wrong padding and a wrong MAC are answered differently, the data can be found byte by byte (Vaudenay, 2002). If they are answered alike but one a little later, because the MAC was over fewer bytes, that is enough too (Lucky Thirteen, 2013).",
		"Here bits are flipped in different blocks of one record: what becomes of the padding, of the MAC and of the data is each time another thing.",
	},
	Look:   "The answer to each flip, and in the last run that it comes before anything is decrypted.",
	Answer: "One alert, and the same work of the hash for every length of padding, which tests count. Where both sides know encrypt-then-MAC (RFC 7366), the MAC is over the encrypted bytes and nothing is decrypted before it is right. AEAD has no padding at all.",
	Refs:   []string{"CVE-2013-0169", "RFC 5246 §6.2.3.2", "RFC 7366", "docs/adr/0006-constant-time-cbc.md"},
	measure: func(ctx context.Context, p *Played) error {
		old := []string{"NoEncryptThenMAC"}
		s := Setup{Suites: []string{ecdheCBC}, Max: "TLS 1.2", Request: strings.Repeat("a", 80), Client: Settings{Legacy: old}, Server: Settings{Legacy: old}}
		first, err := p.add(ctx, "Nobody flips a bit", s, nil)
		if err != nil {
			return err
		}
		size := len(dataOf(first.Client, "client")[0].Wire)
		answers := map[string]bool{}
		for _, q := range []struct {
			title string
			at    int
		}{
			{"A bit of the data", wire.RecordHeaderLen + 16 + 3}, {"A bit of the block before the MAC", size - 16*3 - 2},
			{"A bit that changes the padding's length", size - 16 - 1}, {"A bit that changes the padding's first byte", size - 16 - 12}, {"A bit of the last block", size - 1},
		} {
			r, err := p.add(ctx, q.title, s, &Deviation{Kind: "flip", From: "client", At: 5, Byte: q.at, Bit: 7})
			if err != nil {
				return err
			}
			answers[answerTo(r)] = true
		}
		p.fact("answers", "different answers that came", len(answers))
		s.Client.Legacy, s.Server.Legacy = nil, nil
		_, err = p.add(ctx, "A bit of the data, with encrypt-then-MAC", s, &Deviation{Kind: "flip", From: "client", At: 5, Byte: 40, Bit: 7})
		return err
	},
	claims: []claim{
		{"Whichever bit is flipped, the answer is the same: bad_record_mac, by the same rule.", func(p *Played) bool {
			for n := 1; n < 6; n++ {
				if !came(n, Refused, "server", "bad_record_mac")(p) {
					return false
				}
			}
			return p.facts["answers"] == 1
		}},
		{"No byte of the record reaches the application.", func(p *Played) bool {
			for _, x := range p.Runs[1:] {
				if len(x.Result.ServerGot) > 0 {
					return false
				}
			}
			return true
		}},
		{"With encrypt-then-MAC it is refused just so.", came(6, Refused, "server", "bad_record_mac")},
	},
}

var poodle = &Experiment{
	Name: "poodle", Title: "POODLE: padding that nobody looks at",
	Story: []string{
		"In SSL 3.0 the padding at the end of a CBC record may hold anything: only its last byte, its length, counts. If it fills a whole block, an attacker can put another block of the same record there. One time in 256 the last byte comes out as 15, and the record is taken.",
		"Then the attacker knows a byte of that other block. The last byte that the server has decrypted is 15, and the rest is exclusive-or with ciphertext that it has seen. In 2014 that was the end of SSL 3.0: a script in a browser sends the request again and again, one byte further each time.",
		"Here the block with the first byte of the cookie is copied over the padding, in one connection after another, until the server takes it.",
	},
	Look:   "In the run that is taken, the last two blocks of the client's second data record on the wire, and that the server gave the data to its application.",
	Answer: "SSL 3.0 is off, behind Legacy.SSL30. From TLS 1.0 on every byte of the padding is looked at.",
	Refs:   []string{"CVE-2014-3566", "RFC 7568 §5.1", "RFC 6101 §5.2.3.2"},
	measure: func(ctx context.Context, p *Played) error {
		s := Setup{Min: "SSL 3.0", Max: "SSL 3.0", Suites: []string{rsaCBC}, Request: poodleRequest}
		d := &Deviation{Kind: "copy-block", From: "client", At: 6, Byte: wire.RecordHeaderLen + poodleBlock*16}
		pair, err := s.configs()
		if err != nil {
			return err
		}
		by, err := d.tamper()
		if err != nil {
			return err
		}
		tries := 0
		for ; tries < maxTries && ctx.Err() == nil; tries++ {
			r := play(ctx, &s, pair, by)
			if string(r.sides[1].got) != s.Request {
				continue
			}
			r.Deviation = d
			r.sum(nil)
			p.Runs = append(p.Runs, PlayedCase{fmt.Sprintf("SSL 3.0, connection %d: it is taken", tries+1), r})
			p.fact("byte", "the byte of the cookie that was found", int(foundByte(r.Client)))
			break
		}
		p.fact("tries", "connections that were made until a record was taken", tries+1)
		s.Min, s.Max = "TLS 1.0", "TLS 1.0"
		s.Client.Legacy, s.Server.Legacy = []string{"NoEncryptThenMAC"}, []string{"NoEncryptThenMAC"}
		_, err = p.add(ctx, "The same in TLS 1.0", s, d)
		return err
	},
	claims: []claim{
		{"In SSL 3.0 one of the connections takes the changed record: the server has the whole request, and has answered it.", func(p *Played) bool {
			r := p.Runs[0].Result
			return p.facts["tries"] <= maxTries && string(r.ServerGot) == poodleRequest && string(r.ClientGot) == r.setup.answer()
		}},
		{"Only the record after it does not open: in SSL 3.0 its first block depends on the last before it.", func(p *Played) bool {
			f := p.finding(0)
			return f.Outcome == Refused && f.By == "server" && f.Byte < 0 && f.Record > dataOf(p.Runs[0].Result.Server, "client")[1].Number
		}},
		{"The attacker has found the byte: it is the first of the cookie.", func(p *Played) bool { return byte(p.facts["byte"]) == poodleRequest[1+poodleBlock*16+15] }},
		{"In TLS 1.0 the server refuses it with bad_record_mac.", func(p *Played) bool {
			return len(p.Runs) == 2 && came(1, Refused, "server", "bad_record_mac")(p)
		}},
	},
}

// poodleRequest has the first byte of its cookie at the end of a block, and with its MAC
// fills whole blocks, so that the padding is a block of its own. Its first byte has a
// record of its own: see poodleBlock.
const (
	poodleRequest = "POST /aaaaaaaaaaaaaaa HTTP/1.1\r\nCookie: session=secret-of-somebodyxxxxxxx\r\n\r\n"
	poodleBlock   = 2
	maxTries      = 4000
)

// foundByte is the last byte of the copied block: what the server has decrypted ends in
// 15, and the rest is exclusive-or with ciphertext.
func foundByte(c *explain.Connection) byte {
	rec := recordsOf(c, "client")[5].Wire
	last := len(rec) - 16
	at := wire.RecordHeaderLen + poodleBlock*16
	return 15 ^ rec[last-1] ^ rec[at-1]
}

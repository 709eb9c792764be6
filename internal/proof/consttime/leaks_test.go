package consttime

import "slices"

// A leakage is a change of the sources after which a secret decides something.
type leakage struct {
	in        string // the function that it is in
	file      string
	old, with string
}

// is reports that r is of that leak, and not one that is known.
func (l leakage) is(r report) bool {
	return l.in == r.culprit().function && !slices.ContainsFunc(known, func(k place) bool { return k.is(r) })
}

// leaks are what constant-time code is easily turned into: a comparison that
// ends at the first difference, a return where the padding ends, an index
// instead of a walk over all entries, and the like. What comes out is the same.
var leaks = []leakage{
	{"internal/record.(*Half).Seal", "internal/record/half.go",
		`if len(content) > h.room() {`,
		`if len(content) > h.room() || len(content) > 4 && string(content[:4]) == "leak" {`},
	{"internal/record.unpadTLS", "internal/record/secret.go",
		"ok &= equal(int(plain[end-i]), padding) | ^inPadding",
		"if i <= padding && int(plain[end-i]) != padding {\nreturn end, 0\n}\n_ = inPadding"},
	{"internal/record.unpadSSL30", "internal/record/secret.go",
		"ok = less(padding, blockLen) &^ less(end-keep, padding)",
		"if padding >= blockLen {\nreturn end, 0\n}\nok = ^less(end-keep, padding)"},
	{"internal/record.copyAt", "internal/record/secret.go",
		"first := max(0, len(src)-len(dst)-maxSecretBytes)",
		"copy(dst, src[at:])\nreturn\nfirst := max(0, len(src)-len(dst)-maxSecretBytes)"},
	{"internal/record.(*hmacCT).finish", "internal/record/hmac_ct.go",
		"block := tail[b*m.blockLen:][:m.blockLen]",
		"if b > last {\nbreak\n}\nblock := tail[b*m.blockLen:][:m.blockLen]"},
	{"internal/record.(*cbcOpener).open", "internal/record/cbc.go",
		"if subtle.ConstantTimeCompare(ours, c.theirs)&int(ok) != 1 {",
		"if ok == 0 || subtle.ConstantTimeCompare(ours, c.theirs) != 1 {"},
	{"internal/record.(*etm).open", "internal/record/etm.go",
		"if !hmac.Equal(e.mac.append(e.sum[:0], seq, hdr, sealed), theirs) {",
		"if !hmac.Equal(nil, nil) || string(e.mac.append(e.sum[:0], seq, hdr, sealed)) != string(theirs) {"},
	{"internal/record.(*streamed).open", "internal/record/stream.go",
		"if !hmac.Equal(s.mac.append(s.sum[:0], seq, hdr, content), theirs) {",
		"if !hmac.Equal(nil, nil) || string(s.mac.append(s.sum[:0], seq, hdr, content)) != string(theirs) {"},
	{"internal/record.(*aeadKey).set", "internal/record/aead.go",
		"a, err := c.AEAD(key)\n",
		"a, err := c.AEAD(key)\nif string(key[:4]) == \"leak\" {\nreturn errUnknown\n}\n"},
	{"internal/suite.(*ccm).Open", "internal/suite/ccm.go",
		"if subtle.ConstantTimeCompare(c.mac[:c.tagLen], ciphertext[n:]) != 1 {",
		"if string(c.mac[:c.tagLen]) != string(ciphertext[n:]) {"},

	{"internal/kex.OpenPremaster", "internal/kex/rsa.go",
		"subtle.ConstantTimeCopy(good, premaster[:], candidate[:])",
		"if good == 1 {\npremaster = candidate\n}"},
	{"internal/kex.SealPremaster", "internal/kex/rsa.go",
		"premaster[0], premaster[1] = byte(clientVersion>>8), byte(clientVersion)\n",
		"if premaster[0] = byte(clientVersion >> 8); premaster[1] != byte(clientVersion) {\npremaster[1] = byte(clientVersion)\n}\n"},
	{"internal/kex.PSKPremaster", "internal/kex/psk.go",
		"dst = append(dst, part...)",
		"for _, b := range part {\nif b == 0 {\ndst = append(dst, 0)\n} else {\ndst = append(dst, b)\n}\n}"},
	{"internal/kex.(*fixedBase).pick", "internal/kex/fixed_base.go",
		"mask := -uint(subtle.ConstantTimeByteEq(byte(d), digit))",
		"if byte(d) != digit {\ncontinue\n}\nmask := -uint(subtle.ConstantTimeByteEq(byte(d), digit))"},
	{"internal/kex.(*DHPrivate).agree", "internal/kex/dh.go",
		"z, err := d.power(peerShare, k.exponent)",
		"if string(k.exponent[:4]) == \"leak\" {\nreturn nil, errDHOrder\n}\nz, err := d.power(peerShare, k.exponent)"},
	{"internal/kex.(*Private).Finish", "internal/kex/group.go",
		"peerShare = peerShare[c.serverLen:]",
		"if string(secret[:4]) == \"leak\" {\nreturn nil, errPoint\n}\npeerShare = peerShare[c.serverLen:]"},

	{"session.newXAES", "session/xaes.go",
		"x := &xaes{block: newAES(key)}\n",
		"x := &xaes{block: newAES(key)}\nif string(key[:4]) == \"leak\" {\nreturn nil\n}\n"},
	{"internal/keys.keyMAC", "internal/keys/hmac.go",
		"copy(m.pad[:], key)\n",
		"for i, b := range key {\nif b != 0 {\nm.pad[i] = b\n}\n}\n"},
	{"internal/handshake.recvFinished", "internal/handshake/finished.go",
		"if subtle.ConstantTimeCompare(want, msg.(*wire.Finished).VerifyData) != 1 {",
		"if subtle.ConstantTimeByteEq(0, 0) != 1 || string(want) != string(msg.(*wire.Finished).VerifyData) {"},
	{"internal/handshake.(*State).checkBinder", "internal/handshake/ext_pre_shared_key.go",
		"if subtle.ConstantTimeCompare(s.binder(p, partial), s.Offer.PSKs.Binders[index]) != 1 {",
		"if subtle.ConstantTimeByteEq(0, 0) != 1 || string(s.binder(p, partial)) != string(s.Offer.PSKs.Binders[index]) {"},
	{"internal/keys.expand30", "internal/keys/ssl30.go",
		"inner.write(secret)",
		"if string(secret[:4]) != \"leak\" {\ninner.write(secret)\n}"},
}

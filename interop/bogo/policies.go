package main

import (
	"slices"

	"github.com/vitrine-tls/vitrine/tls"
)

// policy is what BoringSSL calls a compliance policy, as settings of ours.
type policy struct {
	lowest          int // version
	suites          []uint16
	groups, schemes []int // as the flags -curves and -verify-prefs have them
	ownOrder        bool  // of suites, on the server
}

var (
	suites256  = []uint16{tls.TLS_AES_256_GCM_SHA384, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}
	suites128  = []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	schemes256 = []int{int(tls.ECDSAWithP256AndSHA256), int(tls.PSSWithSHA256), int(tls.PKCS1WithSHA256)}
	schemes384 = []int{int(tls.ECDSAWithP384AndSHA384), int(tls.PSSWithSHA384), int(tls.PKCS1WithSHA384)}
	schemes512 = []int{int(tls.PSSWithSHA512), int(tls.PKCS1WithSHA512)}

	p256, p384, mlkem1024 = int(tls.CurveP256), int(tls.CurveP384), int(tls.MLKEM1024)
)

var policies = map[string]policy{
	"fips-202205": {lowest: tls.VersionTLS12, suites: slices.Concat(suites128, suites256), groups: []int{p256, p384}, schemes: slices.Concat(schemes256, schemes384, schemes512)},
	"wpa-202304":  {lowest: tls.VersionTLS12, suites: suites256, groups: []int{p384}, schemes: slices.Concat(schemes384, schemes512)},
	"cnsa1-202603": {lowest: tls.VersionTLS12, suites: append(slices.Clone(suites256), tls.TLS_RSA_WITH_AES_256_GCM_SHA384),
		groups: []int{mlkem1024, p384}, schemes: schemes384},
	"cnsa2-202603": {lowest: tls.VersionTLS13, suites: suites256[:1], groups: []int{mlkem1024}, schemes: schemes384},
	"cnsa-202407":  {ownOrder: true, suites: []uint16{tls.TLS_AES_256_GCM_SHA384, tls.TLS_AES_128_GCM_SHA256, tls.TLS_CHACHA20_POLY1305_SHA256}},
}

func init() {
	for name, p := range policies {
		flags[name] = flag{false, func(o *options, _ string) error {
			o.minVersion, o.suites, o.curves, o.verifyPrefs, o.signing = max(o.minVersion, p.lowest), p.suites, p.groups, p.schemes, p.schemes
			o.serverPreference = o.serverPreference || p.ownOrder
			return nil
		}}
	}
}

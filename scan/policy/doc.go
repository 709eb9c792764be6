// Package policy compares what a scan has found out about a server with what it shall be:
// a policy, or an earlier scan.
//
//	p, err := policy.Load("mozilla-intermediate")
//	for _, d := range p.Check(report) {
//		fmt.Println(d.Rule, d.Found, d.Allowed)
//	}
//
// A policy is a YAML file. Those that stand in this package (Names) are guidelines of
// others, with their source. What a file leaves out, it does not judge.
//
//	name: ours
//	title: what our servers shall speak
//	edition: version 3, 2026-01-31   # of the source
//	source: https://wiki.example.com/tls
//	versions: [TLS 1.2, TLS 1.3]     # no others
//	require: [TLS 1.3]               # these must be there
//	suites:                          # no others; * stands for any letters
//	  - TLS_AES_*
//	  - TLS_ECDHE_*_WITH_AES_*_GCM_*
//	groups: [x25519, secp256r1, ffdhe*]
//	schemes: [rsa_pss_*, ecdsa_*]    # by which the server may sign
//	order: server                    # whose order of suites counts: server or client
//	certificate_keys: [RSA*, "ECDSA, P-256"]
//	min_rsa_bits: 2048               # of certificates
//	min_dh_bits: 2048                # of DHE
//	min_ec_bits: 256                 # of certificates
//	hsts_seconds: 31536000           # the least max-age
//	max_validity_days: 398           # of certificates
//	trusted: true                    # certificates must be good
//	forbid: [compression, reneg-*]   # findings of a scan, by their IDs
//
// Compare says what has changed between two scans of a server.
package policy

package main

import (
	"crypto"
	"encoding/base64"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/tls"
)

// unimplemented is the exit code by which a shim tells the runner that it does
// not have what a test needs.
const unimplemented = 89

// A flag is how the command line sets an option.
type flag struct {
	takesValue bool
	set        func(o *options, value string) error
}

func yes(field func(*options) *bool) flag {
	return flag{false, func(o *options, _ string) error { *field(o) = true; return nil }}
}

func text(field func(*options) *string) flag {
	return flag{true, func(o *options, v string) error { *field(o) = v; return nil }}
}

func number(field func(*options) *int) flag {
	return flag{true, func(o *options, v string) (err error) { *field(o), err = strconv.Atoi(v); return err }}
}

func numbers(field func(*options) *[]int) flag {
	return flag{true, func(o *options, v string) error {
		n, err := strconv.Atoi(v)
		*field(o) = append(*field(o), n)
		return err
	}}
}

func octets(field func(*options) *[]byte) flag {
	return flag{true, func(o *options, v string) (err error) {
		*field(o), err = base64.StdEncoding.DecodeString(v)
		return err
	}}
}

// same is for flags that change nothing here: a blocking API has no asynchronous
// variant to test, and a Config has one place for each of BoringSSL's callbacks.
func same() flag { return flag{false, func(*options, string) error { return nil }} }

func sameValue() flag { return flag{true, func(*options, string) error { return nil }} }

// cred is the credential that flags act on: the newest, or the default one
// before any.
func (o *options) cred() *credential {
	if n := len(o.credentials); n > 0 {
		return &o.credentials[n-1]
	}
	return &o.legacy
}

// flags are those that are implemented.
var flags = map[string]flag{
	"port":                         number(func(o *options) *int { return &o.port }),
	"resume-count":                 number(func(o *options) *int { return &o.resumeCount }),
	"ipv6":                         yes(func(o *options) *bool { return &o.ipv6 }),
	"server":                       yes(func(o *options) *bool { return &o.server }),
	"quic":                         yes(func(o *options) *bool { return &o.quic }),
	"quic-early-data-context":      {true, func(*options, string) error { return nil }}, // it is the same in all connections of a test
	"quic-transport-params":        octets(func(o *options) *[]byte { return &o.quicParameters }),
	"expect-quic-transport-params": octets(func(o *options) *[]byte { return &o.expect.quicParameters }),
	"quic-use-legacy-codepoint": {true, func(_ *options, v string) error {
		if v != "0" {
			fmt.Fprintln(os.Stderr, "the code point of the drafts is not implemented")
			os.Exit(unimplemented)
		}
		return nil
	}},
	"shim-id": {true, func(o *options, v string) (err error) {
		o.shimID, err = strconv.ParseUint(v, 10, 64)
		return err
	}},

	"is-handshaker-supported": {false, func(*options, string) error { fmt.Println("No"); os.Exit(0); return nil }},

	"async":                        yes(func(o *options) *bool { return &o.async }),
	"select-empty-alpn":            yes(func(o *options) *bool { return &o.selectEmptyALPN }),
	"use-early-callback":           same(),
	"use-old-client-cert-callback": same(),
	"install-ddos-callback":        same(),
	"cbc-record-splitting":         same(), // always done up to TLS 1.0
	"false-start":                  same(), // never done; the tests that it is not done everywhere are run
	"partial-write":                same(), // Write is never partial
	"trust-cert":                   sameValue(),

	"min-version":                  number(func(o *options) *int { return &o.minVersion }),
	"max-version":                  number(func(o *options) *int { return &o.maxVersion }),
	"no-tls1":                      yes(func(o *options) *bool { return &o.noTLS1 }),
	"no-tls11":                     yes(func(o *options) *bool { return &o.noTLS11 }),
	"no-tls12":                     yes(func(o *options) *bool { return &o.noTLS12 }),
	"no-tls13":                     yes(func(o *options) *bool { return &o.noTLS13 }),
	"cipher":                       text(func(o *options) *string { return &o.cipher }),
	"server-preference":            yes(func(o *options) *bool { return &o.serverPreference }),
	"fallback-scsv":                yes(func(o *options) *bool { return &o.fallbackSCSV }),
	"curves":                       numbers(func(o *options) *[]int { return &o.curves }),
	"key-shares":                   numbers(func(o *options) *[]int { return &o.keyShares }),
	"no-key-shares":                yes(func(o *options) *bool { return &o.noKeyShares }),
	"server-supported-groups-hint": numbers(func(o *options) *[]int { return &o.groupsHint }),
	"verify-prefs":                 numbers(func(o *options) *[]int { return &o.verifyPrefs }),
	"host-name":                    text(func(o *options) *string { return &o.hostName }),
	"advertise-alpn":               text(func(o *options) *string { return &o.advertiseALPN }),
	"select-alpn":                  text(func(o *options) *string { return &o.selectALPN }),
	"decline-alpn":                 yes(func(o *options) *bool { return &o.declineALPN }),
	"reject-alpn":                  yes(func(o *options) *bool { return &o.rejectALPN }),
	"no-ticket":                    yes(func(o *options) *bool { return &o.noTicket }),
	"renew-ticket":                 yes(func(o *options) *bool { return &o.renewTicket }),
	"skip-ticket":                  yes(func(o *options) *bool { return &o.skipTicket }),
	"enable-grease":                yes(func(o *options) *bool { return &o.enableGREASE }),
	"psk":                          text(func(o *options) *string { return &o.psk }),
	"psk-identity":                 text(func(o *options) *string { return &o.pskIdentity }),
	"max-send-fragment":            number(func(o *options) *int { return &o.maxSendFragment }),

	"use-ticket-callback":               yes(func(o *options) *bool { return &o.useTicketCallback }),
	"use-ticket-aead-callback":          yes(func(o *options) *bool { return &o.useTicketCallback }),
	"enable-ocsp-stapling":              same(), // a client always asks
	"enable-signed-cert-timestamps":     same(),
	"require-any-client-certificate":    yes(func(o *options) *bool { return &o.requireAnyClientCertificate }),
	"use-ocsp-callback":                 same(),
	"set-ocsp-in-callback":              same(),
	"decline-ocsp-callback":             yes(func(o *options) *bool { return &o.declineOCSP }),
	"fail-ocsp-callback":                yes(func(o *options) *bool { return &o.failOCSP }),
	"must-match-issuer":                 yes(func(o *options) *bool { return &o.cred().matchIssuer }),
	"verify-peer":                       yes(func(o *options) *bool { return &o.verifyPeer }),
	"enable-early-data":                 yes(func(o *options) *bool { return &o.enableEarlyData }),
	"expect-accept-early-data":          yes(func(o *options) *bool { return &o.expect.acceptEarly }),
	"expect-reject-early-data":          yes(func(o *options) *bool { return &o.expect.rejectEarly }),
	"expect-no-offer-early-data":        yes(func(o *options) *bool { return &o.expect.noOfferEarly }),
	"expect-ticket-supports-early-data": yes(func(o *options) *bool { return &o.expect.ticketEarly }),
	"expect-early-data-reason":          text(func(o *options) *string { return &o.expect.earlyReason }),
	"expect-ticket-age-skew": {true, func(o *options, v string) error {
		n, err := strconv.Atoi(v)
		o.expect.skew = &n
		return err
	}},
	"verify-fail":                          yes(func(o *options) *bool { return &o.verifyFail }),
	"use-custom-verify-callback":           yes(func(o *options) *bool { return &o.customVerify }),
	"reverify-on-resume":                   yes(func(o *options) *bool { return &o.reverifyOnResume }),
	"use-client-ca-list":                   text(func(o *options) *string { return &o.clientCAs }),
	"renegotiate-once":                     yes(func(o *options) *bool { return &o.renegotiateOnce }),
	"renegotiate-freely":                   yes(func(o *options) *bool { return &o.renegotiateFreely }),
	"renegotiate-explicit":                 yes(func(o *options) *bool { return &o.renegotiateFreely }), // no call is needed
	"forbid-renegotiation-after-handshake": same(),                                                      // as it was before
	"no-legacy-server-connect":             yes(func(o *options) *bool { return &o.requireSecure }),
	"renegotiate-ignore":                   yes(func(o *options) *bool { return &o.renegotiateIgnore }),
	"fail-early-callback":                  yes(func(o *options) *bool { return &o.failEarlyCallback }),
	"fail-ddos-callback":                   yes(func(o *options) *bool { return &o.failDDoSCallback }),
	"fail-cert-callback":                   yes(func(o *options) *bool { return &o.failCertCallback }),
	"resumption-delay":                     number(func(o *options) *int { return &o.resumptionDelay }),
	"new-x509-credential":                  {false, func(o *options, _ string) error { o.credentials = append(o.credentials, credential{}); return nil }},
	"new-delegated-credential":             {false, func(o *options, _ string) error { o.credentials = append(o.credentials, credential{}); return nil }},
	"new-rpk-credential": {false, func(o *options, _ string) error {
		o.credentials = append(o.credentials, credential{raw: true})
		return nil
	}},
	"delegated-credential":             octets(func(o *options) *[]byte { return &o.cred().delegated }),
	"accepted-peer-cert-types":         numbers(func(o *options) *[]int { return &o.acceptedTypes }),
	"available-client-cert-types":      numbers(func(o *options) *[]int { return &o.availableTypes }),
	"install-cert-compression-algs":    yes(func(o *options) *bool { return &o.compressAll }),
	"install-one-cert-compression-alg": number(func(o *options) *int { return &o.compressBy }),
	"expect-peer-rpk-sha256":           octets(func(o *options) *[]byte { return &o.expect.peerKey }),
	"expect-peer-certificate-type": {true, func(o *options, v string) (err error) {
		o.expect.peerTypeSet = true
		o.expect.peerType, err = strconv.Atoi(v)
		return err
	}},
	"new-psk-credential": {false, func(o *options, _ string) error {
		o.credentials = append(o.credentials, credential{external: &tls.ExternalPSK{Import: true}})
		return nil
	}},
	"psk-importer-key":                octets(func(o *options) *[]byte { return &o.cred().external.Key }),
	"psk-importer-identity":           octets(func(o *options) *[]byte { return &o.cred().external.Identity }),
	"psk-importer-context":            octets(func(o *options) *[]byte { return &o.cred().external.Context }),
	"psk-importer-sha256":             {false, func(o *options, _ string) error { o.cred().external.Hash = crypto.SHA256; return nil }},
	"psk-importer-sha384":             {false, func(o *options, _ string) error { o.cred().external.Hash = crypto.SHA384; return nil }},
	"cert-file":                       text(func(o *options) *string { return &o.cred().certFile }),
	"key-file":                        text(func(o *options) *string { return &o.cred().keyFile }),
	"signing-prefs":                   numbers(func(o *options) *[]int { return &o.cred().signing }),
	"ocsp-response":                   octets(func(o *options) *[]byte { return &o.cred().ocsp }),
	"signed-cert-timestamps":          octets(func(o *options) *[]byte { return &o.cred().scts }),
	"implicit-handshake":              yes(func(o *options) *bool { return &o.implicitHandshake }),
	"handshake-twice":                 yes(func(o *options) *bool { return &o.handshakeTwice }),
	"no-op-extra-handshake":           yes(func(o *options) *bool { return &o.extraHandshake }),
	"shim-writes-first":               yes(func(o *options) *bool { return &o.shimWritesFirst }),
	"shim-initial-write":              text(func(o *options) *string { return &o.initialWrite }),
	"repeat-shim-initial-write":       number(func(o *options) *int { return &o.repeatInitialWrite }),
	"shim-shuts-down":                 yes(func(o *options) *bool { return &o.shimShutsDown }),
	"check-close-notify":              yes(func(o *options) *bool { return &o.checkCloseNotify }),
	"write-different-record-sizes":    yes(func(o *options) *bool { return &o.writeDifferentSizes }),
	"read-size":                       number(func(o *options) *int { return &o.readSize }),
	"key-update":                      yes(func(o *options) *bool { return &o.keyUpdate }),
	"key-update-before-read":          yes(func(o *options) *bool { return &o.keyUpdateBeforeRead }),
	"export-keying-material":          number(func(o *options) *int { return &o.exportLength }),
	"export-label":                    text(func(o *options) *string { return &o.exportLabel }),
	"export-context":                  text(func(o *options) *string { return &o.exportContext }),
	"use-export-context":              yes(func(o *options) *bool { return &o.useExportContext }),
	"use-exporter-between-reads":      yes(func(o *options) *bool { return &o.exporterBetweenReads }),
	"export-traffic-secrets":          yes(func(o *options) *bool { return &o.exportTrafficSecrets }),
	"tls-unique":                      yes(func(o *options) *bool { return &o.tlsUnique }),
	"expect-version":                  number(func(o *options) *int { return &o.expect.version }),
	"expect-cipher":                   number(func(o *options) *int { return &o.expect.cipher }),
	"expect-cipher-aes":               number(func(o *options) *int { return &o.expect.cipherAES }),
	"expect-cipher-no-aes":            number(func(o *options) *int { return &o.expect.cipherNoAES }),
	"expect-server-name":              text(func(o *options) *string { return &o.expect.serverName }),
	"expect-no-server-name":           yes(func(o *options) *bool { return &o.expect.noServerName }),
	"expect-alpn":                     text(func(o *options) *string { return &o.expect.alpn }),
	"expect-advertised-alpn":          text(func(o *options) *string { return &o.expect.advertisedALPN }),
	"expect-curve-id":                 number(func(o *options) *int { return &o.expect.curve }),
	"expect-peer-signature-algorithm": number(func(o *options) *int { return &o.expect.peerSignature }),
	"expect-peer-verify-pref":         numbers(func(o *options) *[]int { return &o.expect.peerVerify }),
	"expect-certificate-types":        octets(func(o *options) *[]byte { return &o.expect.certificateTypes }),
	"expect-client-ca-list":           text(func(o *options) *string { return &o.expect.clientCAs }),
	"expect-ocsp-response":            octets(func(o *options) *[]byte { return &o.expect.ocsp }),
	"expect-signed-cert-timestamps":   octets(func(o *options) *[]byte { return &o.expect.scts }),
	"expect-peer-cert-file":           text(func(o *options) *string { return &o.expect.peerCertFile }),
	"expect-no-peer-cert":             yes(func(o *options) *bool { return &o.expect.noPeerCert }),
	"expect-session-miss":             yes(func(o *options) *bool { return &o.expect.sessionMiss }),
	"expect-no-session":               yes(func(o *options) *bool { return &o.expect.noSession }),
	"expect-ticket-renewal":           yes(func(o *options) *bool { return &o.expect.ticketRenewal }),
	"expect-session-id":               yes(func(o *options) *bool { return &o.expect.sessionID }),
	"expect-no-session-id":            yes(func(o *options) *bool { return &o.expect.noSessionID }),
	"expect-extended-master-secret":   yes(func(o *options) *bool { return &o.expect.extendedMasterSecret }),
	"expect-secure-renegotiation":     yes(func(o *options) *bool { return &o.expect.secureRenegotiation }),
	"expect-no-secure-renegotiation":  yes(func(o *options) *bool { return &o.expect.noSecureRenegotiate }),
	"expect-total-renegotiations":     number(func(o *options) *int { return &o.expect.renegotiations }),
	"expect-hrr":                      yes(func(o *options) *bool { return &o.expect.hrr }),
	"expect-no-hrr":                   yes(func(o *options) *bool { return &o.expect.noHRR }),
	"expect-msg-callback":             text(func(o *options) *string { return &o.expect.messages }),
	"expect-verify-result":            yes(func(o *options) *bool { return &o.expect.verifyResult }),
	"expect-selected-credential": {true, func(o *options, v string) (err error) {
		o.expect.selectedSet = true
		o.expect.selected, err = strconv.Atoi(v)
		return err
	}},
}

// parse reads the command line: the options of the first connection, and those
// of the ones that resume, which have those that hold once early data is rejected. It exits where something is not implemented.
func parse(args []string) (initial, resume *options, err error) {
	initial, resume = newOptions(), newOptions()
	retry := newOptions()
	resume.retry = retry
	for i := 0; i < len(args); i++ {
		name := strings.TrimPrefix(strings.TrimPrefix(args[i], "-on-shim"), "-")
		targets := []*options{initial, resume, retry}
		for prefix, only := range map[string][]*options{
			"on-initial-": {initial}, "on-resume-": {resume}, "on-retry-": {retry},
		} {
			if rest, ok := strings.CutPrefix(name, prefix); ok {
				name, targets = rest, only
			}
		}
		f, ok := flags[name]
		if !ok {
			fmt.Fprintf(os.Stderr, "flag -%s is not implemented\n", name)
			os.Exit(unimplemented)
		}
		value := ""
		if f.takesValue {
			if i++; i == len(args) {
				return nil, nil, fmt.Errorf("flag -%s needs a value", name)
			}
			value = args[i]
		}
		for _, o := range targets {
			if err := f.set(o, value); err != nil {
				return nil, nil, fmt.Errorf("flag -%s: %w", name, err)
			}
		}
	}
	return initial, resume, nil
}

func newOptions() *options {
	return &options{initialWrite: "hello", repeatInitialWrite: 1}
}

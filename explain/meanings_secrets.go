package explain

import (
	"github.com/vitrine-tls/vitrine/explain/internal/recompute"
	"github.com/vitrine-tls/vitrine/wire"
)

// secretMeanings says what each value of a key schedule is for; "name/case", as
// secretMeaning has it, goes before "name".
var secretMeanings = map[string]string{
	"psk":                          "The key both sides kept from an earlier connection.",
	"external_psk":                 "The key that both sides had from outside TLS. It is not used as it is.",
	"import_secret":                "Comes between a key from outside TLS and the keys that are made of it, one for each hash.",
	"psk/derived psk":              "The pre-shared key for this version and hash, made of the one from outside TLS and of the identity, which names the context.",
	"shared_secret":                "Both sides computed it from their own private key and the other's public key; it was never on the wire.",
	"early_secret":                 "The schedule's first stage: a pre-shared key goes in, or zeros if there is none.",
	"binder_key":                   "Proves in the ClientHello that the client really has the pre-shared key.",
	"derived_early":                "Carries the early stage into the handshake stage.",
	"client_early_traffic_secret":  "Makes the keys for the client's early data, before the server has answered: without forward secrecy, and anyone on the path can send the same records again.",
	"early_exporter_master_secret": "Makes keys for the application's own use before the server has answered; a copy of the ClientHello gives the same again.",

	"handshake_secret":                "The second stage: the fresh key exchange goes in, which gives forward secrecy.",
	"client_handshake_traffic_secret": "Makes the keys for the client's handshake messages.",
	"server_handshake_traffic_secret": "Makes the keys for the server's handshake messages: from here on, certificates are hidden.",
	"client_finished_key":             "The MAC key of the client's Finished.",
	"client_finished_key/late":        "The MAC key of the client's Finished after the handshake.",
	"server_finished_key":             "The MAC key of the server's Finished.",
	"client_verify_data":              "The content of the client's Finished: a MAC over everything both sides have said.",
	"server_verify_data":              "The content of the server's Finished: a MAC over everything both sides have said.",
	"derived_handshake":               "Carries the handshake stage into the last stage.",
	"master_secret":                   "The last stage: every key for application data comes from it.",

	"client_application_traffic_secret_0": "Makes the keys for the client's application data.",
	"server_application_traffic_secret_0": "Makes the keys for the server's application data.",
	"traffic upd":                         "Replaces the traffic secret before it, which is forgotten: nobody can open older records with it.",
	"exporter_master_secret":              "Makes keys for the application's own use, such as channel bindings.",
	"resumption_master_secret":            "Makes the pre-shared keys of later connections.",
	"resumption_psk":                      "The pre-shared key that goes with one ticket; its nonce makes it different from the others.",

	"ech_shared_secret":       "What only the server can get from the encapsulated key: it opens the encrypted hello.",
	"ech_confirmation_key":    "Made from the random of the encrypted hello, which only the two sides know.",
	"ech_accept_confirmation": "The server's word, hidden in what looks random, that it has taken the encrypted hello.",

	"psk/old":                              "The pre-shared key that goes with the client's identity: both sides had it before the connection.",
	"other_secret":                         "The result of the rest of the key exchange. It goes into the premaster secret beside the pre-shared key.",
	"other_secret/zeros":                   "As many zeros as the pre-shared key has bytes. There is no other key exchange, so anyone who gets that key later can read this connection.",
	"premaster_secret":                     "The result of the key exchange; it was never on the wire in the clear.",
	"premaster_secret/join":                "The result of the key exchange and the pre-shared key, each after its length.",
	"master_secret/extended master secret": "The one secret of the session, bound to everything said so far; a resumption starts from it.",
	"master_secret/old":                    "The one secret of the session; a resumption starts from it.",
	"key_block":                            "Cut into the MAC keys, the keys and the IVs of both directions, in this order.",
	"client_verify_data/old":               "The content of the client's Finished: it covers everything both sides have said.",
	"server_verify_data/old":               "The content of the server's Finished: it covers everything both sides have said.",
}

// secretMeaning says what a value of a key schedule is for: by when it is made,
// how it is computed, its label, and the version.
func (hs *handshake) secretMeaning(name string, r recompute.Rule) string {
	name = unnumbered(name)
	cases := []string{name + "/" + string(r.Function), name + "/" + r.Label}
	switch {
	case hs.late:
		cases = append(cases, name+"/late")
	case hs.version < wire.TLS13:
		cases = append(cases, name+"/old")
	}
	for _, key := range append(cases, name, r.Label) {
		if meaning, ok := secretMeanings[key]; ok {
			return meaning
		}
	}
	return ""
}

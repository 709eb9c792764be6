package diff

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/vitrine-tls/vitrine/explain"
)

// fresh are fields that are new in each connection, or follow from others.
var fresh = []string{
	"length", "msg_type", "extension_type", "random", "key_exchange", "point", "dh_Ys", "dh_Yc", "encrypted_pre_master_secret",
	"legacy_session_id", "legacy_session_id_echo", "session_id", "session_id_length", "challenge", "challenge_length", "ticket", "ticket_nonce",
	"ticket_age_add", "obfuscated_ticket_age", "identity", "binder", "cookie", "signature", "verify_data", "md5_hash", "sha_hash",
	"padding", "renegotiated_connection", "ocsp_response", "serialized_sct",
}

// lifetimes count down while a session ages, so they are compared in minutes.
var lifetimes = []string{"ticket_lifetime", "ticket_lifetime_hint"}

// message adds what a message says, field by field.
func (t *traits) message(m *explain.Message, where string) {
	var path []string // the names of the open groups
	certificate := 0
	end := 0 // of the certificate that is passed over
	for _, f := range m.Fields {
		path = append(path[:min(f.Depth, len(path))], f.Name)
		switch {
		case f.Offset < end:
		case len(f.Details) > 0:
			certificate++
			end = f.Offset + f.Length
			t.certificate(m, f, fmt.Sprintf("%s of the %s, certificate %d", where, m.From, certificate))
		case f.Name == "extension_type" && !f.Group:
			t.add(trait{where, "extensions", true}, grease(f.Value))
		case f.Group || slices.Contains(fresh, f.Name):
		default:
			what, list := nameOf(path)
			t.add(trait{where, what, list}, short(valueOf(f)))
		}
	}
	t.add(trait{where: where, what: "malformed"}, m.Malformed)
}

// nameOf is what a field is called: with the extension that it is in. Fields of vectors
// are lists.
func nameOf(path []string) (name string, list bool) {
	name = path[len(path)-1]
	if i := slices.Index(path, "extensions"); i >= 0 && i+1 < len(path)-1 {
		if extension := grease(path[i+1]); extension != name {
			name = extension + ": " + name
		}
		return name, true
	}
	return name, len(path) > 2
}

// grease is a value that is alike in all connections: RFC 8701 has one picked by chance.
func grease(v string) string {
	if strings.HasPrefix(v, "GREASE") {
		return "GREASE"
	}
	return v
}

func valueOf(f explain.Field) string {
	switch {
	case f.Value == "" && len(f.Bytes) == 0:
		return "empty"
	case f.Value == "":
		return f.Bytes.String()
	case slices.Contains(lifetimes, f.Name):
		if seconds, err := strconv.Atoi(f.Value); err == nil {
			return fmt.Sprintf("about %d minutes", (seconds+30)/60)
		}
	}
	return grease(f.Value)
}

// certificate adds what a certificate is for and who issued it.
func (t *traits) certificate(m *explain.Message, f explain.Field, where string) {
	for _, d := range f.Details {
		t.add(trait{where: where, what: d.Name}, d.Text)
	}
	if end := f.Offset + f.Length; end <= len(m.Raw) && f.Offset >= 0 {
		t.add(trait{where: where, what: "SHA-256"}, fmt.Sprintf("%x", sha256.Sum256(m.Raw[f.Offset:end])))
	}
}

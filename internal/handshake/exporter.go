package handshake

import "github.com/vitrine-tls/vitrine/internal/keys"

// Export fills out with keying material for the application. Up to TLS 1.2 it
// is refused without extended master secret: two connections could then export
// the same. RFC 5705, RFC 8446 §7.5, RFC 7627 §5.4.
func (r *Result) Export(out []byte, label string, context []byte) error {
	p := ProfileOf(r.Version)
	h := p.hashOf(r.Suite)
	if p.schedule == nil {
		return keys.Exporter13(h, out, r.Secrets.Master[:h.Size], label, context)
	}
	if !r.ExtendedMasterSecret {
		return &Error{Rule: "keying material cannot be exported from a connection of " + r.Version.String() + " without extended master secret", Ref: "RFC 7627 §5.4"}
	}
	return p.schedule.Exporter(h, out, r.Secrets.Master[:keys.MasterSecretLen], label, r.Secrets.ClientRandom[:], r.Secrets.ServerRandom[:], context)
}

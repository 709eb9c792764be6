package explain

import (
	"time"

	"github.com/vitrine-tls/vitrine/capture"
)

// List is what is found in a capture.
type List struct {
	// Format is "vitrine.captures/1".
	Format string `json:"format"`
	// Source is the capture's name.
	Source      string   `json:"source"`
	Connections []Listed `json:"connections"`
	Totals      Totals   `json:"totals"`
}

// Listed is a connection of a capture.
type Listed struct {
	// Number is what --conn takes.
	Number int `json:"number"`
	// Start and DurationUS are of the first and the last packet, in microseconds.
	Start      time.Time `json:"start"`
	DurationUS int64     `json:"duration_us"`
	// Client and Server are addresses with ports.
	Client string `json:"client"`
	Server string `json:"server"`
	// Began is what came before TLS, like "SMTP's STARTTLS".
	Began string `json:"began,omitempty"`
	// Midway is set where the beginning was not captured.
	Midway      bool   `json:"midway,omitempty"`
	ServerName  string `json:"server_name,omitempty"`
	Version     string `json:"version,omitempty"`
	CipherSuite string `json:"cipher_suite,omitempty"`
	ALPN        string `json:"alpn,omitempty"`
	// Resumed is how: "id", "ticket" or "psk"; empty for a full handshake.
	Resumed string `json:"resumed,omitempty"`
	// Complete is set when both Finished messages were seen.
	Complete bool `json:"complete"`
	// Failed is set where the handshake failed, or the connection did after it.
	Failed  bool   `json:"failed"`
	Outcome string `json:"outcome"`
	// Decrypted is set where keys are known; MissingKey says what is missing where they are not.
	Decrypted  bool   `json:"decrypted"`
	MissingKey string `json:"missing_key,omitempty"`
	JA3        string `json:"ja3,omitempty"`
	JA4        string `json:"ja4,omitempty"`
	// ClientBytes and ServerBytes are what each side sent in records.
	ClientBytes int64 `json:"client_bytes"`
	ServerBytes int64 `json:"server_bytes"`
	// Gaps and LostBytes are what the capture misses.
	Gaps      int   `json:"gaps,omitempty"`
	LostBytes int64 `json:"lost_bytes,omitempty"`
	// Conflicts are segments that came again with other content.
	Conflicts int `json:"conflicts,omitempty"`
	// Open is set where the capture does not show the end.
	Open bool `json:"open,omitempty"`
	// Comments are those of the file.
	Comments []string `json:"comments,omitempty"`
}

// Totals is what a capture holds.
type Totals struct {
	Packets int `json:"packets"`
	// TCPConnections are those of any protocol, TLSConnections those that are listed without a filter.
	TCPConnections int `json:"tcp_connections"`
	TLSConnections int `json:"tls_connections"`
	// Secrets is how many the capture holds itself.
	Secrets int `json:"secrets,omitempty"`
	// Crowded connections were left before their end, since there were too many at a time.
	Crowded int `json:"crowded,omitempty"`
	// Notes are what was passed over.
	Notes []string `json:"notes,omitempty"`
}

func listed(k *capture.Connection) Listed {
	return Listed{
		Number: k.Number, Start: k.Start, DurationUS: k.Duration().Microseconds(), Client: k.Client.String(), Server: k.Server.String(),
		Began: k.Began, Midway: k.Midway, ServerName: k.Name, Version: words(k.Version, k.Version.String()),
		CipherSuite: words(k.Suite, k.Suite.String()), ALPN: k.ALPN, Resumed: k.Resumed, Complete: k.Complete, Failed: k.Failed,
		Outcome: strange(k), Decrypted: k.Readable, MissingKey: k.Missing, JA3: k.JA3, JA4: k.JA4,
		ClientBytes: k.ClientSent.Bytes, ServerBytes: k.ServerSent.Bytes, Gaps: k.Gaps, LostBytes: k.Lost, Conflicts: k.Conflicts,
		Open: k.Open, Comments: k.Comments,
	}
}

func totalsOf(t capture.Totals) Totals {
	return Totals{t.Packets, t.Connections, t.TLS, t.Secrets, t.Crowded, t.Notes}
}

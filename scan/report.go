package scan

import (
	"slices"
	"time"
)

// Format names the form of a Report's JSON. A later form that a reader of this one would
// misunderstand gets another name.
const Format = "vitrine-scan/1"

// A Report is what a scan has found out about one server. Its exported fields are the
// JSON, whose names are kept.
type Report struct {
	Format   string `json:"format"`
	Target   string `json:"target"`
	Name     string `json:"server_name,omitempty"`
	StartTLS string `json:"starttls,omitempty"`
	// Began is when the scan began, and Milliseconds how long it took.
	Began        time.Time `json:"began"`
	Milliseconds int64     `json:"duration_ms"`
	// Connections is how many were made.
	Connections int `json:"connections"`
	// Unanswered is how many of them got no answer, where these are so many that what is missing
	// here may be there all the same; 0 where all was asked.
	Unanswered int `json:"unanswered,omitempty"`
	// NotAnswered names the probes that got no answer where one was due, however few they are.
	NotAnswered []string `json:"not_answered,omitempty"`
	// NotAsked are the ids of findings for which this scan did not look, by its Options.
	NotAsked []string `json:"not_asked,omitempty"`
	// Failure says why there is no more: nobody listens there, it does not speak TLS, or takes
	// no hello.
	Failure string `json:"failure,omitempty"`
	// Err is the error of which Failure has the words; nil for none.
	Err error `json:"-"`
	// Software is what the server seems to be, by what it says of itself.
	Software string `json:"software,omitempty"`
	// Versions are all that were asked for, newest first.
	Versions []VersionReport `json:"versions,omitempty"`
	// Groups are those of ECDHE and TLS 1.3, in the order of the server's preference.
	Groups []GroupReport `json:"groups,omitempty"`
	// Schemes are the signature schemes by which the server signs.
	Schemes []SchemeReport `json:"schemes,omitempty"`
	// DH are the finite fields of DHE.
	DH []DHReport `json:"dh,omitempty"`
	// Chains are the different certificates that it shows.
	Chains []ChainReport `json:"chains,omitempty"`
	// Protocols are those of ALPN, best first.
	Protocols []string `json:"protocols,omitempty"`
	// Extensions are those that it answers.
	Extensions []string `json:"extensions,omitempty"`
	// Features are what else it has, by name: "session tickets": "yes, for 2 hours".
	Features []Feature `json:"features,omitempty"`
	// Client says what it asks of clients; nil where it does not ask.
	Client *ClientReport `json:"client_request,omitempty"`
	HTTP   *HTTPReport   `json:"http,omitempty"`
	// Clients are programs that people use, and whether they can connect.
	Clients []PlayedClient `json:"clients,omitempty"`
	// Fleet says how the servers behind a name go together; nil where Options do not ask for that.
	Fleet *FleetReport `json:"fleet,omitempty"`
	// Weaknesses are those that were looked for.
	Weaknesses []Check `json:"weaknesses,omitempty"`
	// Findings are what is wrong, worst first.
	Findings []Finding `json:"findings"`

	answers map[string]*Answer // by finding
}

// A VersionReport is what was found about one version.
type VersionReport struct {
	Version string `json:"version"`
	Offered bool   `json:"offered"`
	// Answer is how the server turned it down.
	Answer string `json:"answer,omitempty"`
	// Order is whose order of suites counts: "server", "client", or empty for too few.
	Order  string        `json:"order,omitempty"`
	Suites []SuiteReport `json:"suites,omitempty"`
}

// A SuiteReport is one suite that the server takes.
type SuiteReport struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Bits int    `json:"bits"`
	// ForwardSecret is set where a stolen key opens no recorded connection.
	ForwardSecret bool     `json:"forward_secret"`
	Flaws         []string `json:"flaws,omitempty"`
}

// A GroupReport is one group that the server takes.
type GroupReport struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Versions []string `json:"versions"`
}

// A SchemeReport is one scheme by which the server signs.
type SchemeReport struct {
	Name     string   `json:"name"`
	Versions []string `json:"versions"`
}

// A DHReport is a finite field.
type DHReport struct {
	Bits int `json:"bits"`
	// Known is its name, where others use it too.
	Known string `json:"known,omitempty"`
	// Safe is set where (p-1)/2 is prime too; Prime where p is.
	Prime bool `json:"prime"`
	Safe  bool `json:"safe"`
	// Reused is set where two connections got the same public key.
	Reused bool   `json:"reused"`
	P      string `json:"p"`
	G      string `json:"g"`
}

// A ChainReport is one certificate with its chain.
type ChainReport struct {
	Subject   string    `json:"subject"`
	Names     []string  `json:"names,omitempty"`
	Issuer    string    `json:"issuer"`
	Key       string    `json:"key"`
	KeyBits   int       `json:"key_bits,omitempty"`
	Signature string    `json:"signature"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	SHA256    string    `json:"sha256"`
	// Sent is how many certificates came.
	Sent int `json:"sent"`
	// For says to whom it is shown: "with the name", "without a name".
	For []string `json:"for"`
	// Trusted is certcheck's verdict, and Problem why not; Hint is what to do.
	Trusted bool   `json:"trusted"`
	Problem string `json:"problem,omitempty"`
	Hint    string `json:"hint,omitempty"`
	// MustStaple is set where the certificate demands a stapled OCSP response; Stapled
	// where one came.
	MustStaple bool `json:"must_staple"`
	Stapled    bool `json:"stapled"`
	// Revoked is set where the authority has taken the certificate back.
	Revoked bool `json:"revoked,omitempty"`
	// SCTs is how many timestamps of CT logs are in the certificate.
	SCTs int `json:"scts"`
}

// A Feature is something that a server has, or has not.
type Feature struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// A ClientReport is a request for a client's certificate.
type ClientReport struct {
	// Required is set where the server refuses clients without one.
	Required    bool     `json:"required"`
	Schemes     []string `json:"schemes,omitempty"`
	Authorities []string `json:"authorities,omitempty"`
}

// An HTTPReport is what the server answers over HTTP.
type HTTPReport struct {
	Status   string `json:"status"`
	Server   string `json:"server,omitempty"`
	Location string `json:"location,omitempty"`
	HSTS     string `json:"hsts,omitempty"`
	AltSvc   string `json:"alt_svc,omitempty"`
	// Compressed is set where it compresses what it answers.
	Compressed bool `json:"compressed,omitempty"`
}

// A Check is a weakness that was looked for.
type Check struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Found is set where it is there. Unknown says why it could not be found out.
	Found   bool   `json:"found"`
	Unknown string `json:"unknown,omitempty"`
}

// Answer is the probe's answer behind a finding, nil where it is no single one.
func (r *Report) Answer(id string) *Answer { return r.answers[id] }

// Forget lets go of the answers behind the findings, which are most of what a Report takes
// of memory.
func (r *Report) Forget() { r.answers = nil }

// Feature is the value of a feature, empty where it was not looked at.
func (r *Report) Feature(name string) string {
	for _, f := range r.Features {
		if f.Name == name {
			return f.Value
		}
	}
	return ""
}

// Offers reports whether the server speaks a version: "TLS 1.2".
func (r *Report) Offers(version string) bool {
	return slices.ContainsFunc(r.Versions, func(v VersionReport) bool { return v.Version == version && v.Offered })
}

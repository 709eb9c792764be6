package diagnose

import "fmt"

// Confidence says how sure a verdict is.
type Confidence string

const (
	// Certain: what was said on the connection leaves no other cause.
	Certain Confidence = "certain"
	// Likely: it is the usual cause of what was seen, and others are possible.
	Likely Confidence = "likely"
	// CannotTell: what was seen has many causes.
	CannotTell Confidence = "cannot tell"
)

// Party is who has to change something.
type Party string

const (
	Client   Party = "client"
	Server   Party = "server"
	Middle   Party = "middle" // something on the way between them
	Network  Party = "network"
	Clock    Party = "clock" // of either side
	Somebody Party = "unknown"
	Nobody   Party = "nobody" // nothing is wrong
)

// Causes that are no row of the table.
const (
	// Unknown is the cause where none fits.
	Unknown = "unknown"
	// Nothing is the cause where nothing is wrong.
	Nothing = "nothing"
)

// Verdict is why a connection failed.
type Verdict struct {
	// Cause is the id of a row of the table, [Unknown] or [Nothing]. Ids do not change.
	Cause      string     `json:"cause"`
	Confidence Confidence `json:"confidence"`
	AtFault    Party      `json:"at_fault"`
	// Sentence says what is wrong, without its full stop.
	Sentence string `json:"sentence"`
	// Source is where the rule that was broken is written, empty where there is none.
	Source string `json:"source,omitempty"`
	// Offers are what each side could do, where that decides.
	Offers   []Offer    `json:"offers,omitempty"`
	Evidence []Evidence `json:"evidence,omitempty"`
	// Advice says what to change, as a sentence without its full stop; empty for nothing.
	Advice string `json:"advice,omitempty"`
	// Settings are those to change, by their ids in package scan/fix, first the best.
	Settings []string `json:"settings,omitempty"`
	// SettingsOf is the side on which they are made; empty for the one at fault.
	SettingsOf Party `json:"settings_of,omitempty"`
	// Others are further causes that fit what was seen, where the verdict is not certain.
	Others []string `json:"others,omitempty"`
	// Trials are the further connections that were made to find out; none for [Account].
	Trials []Trial `json:"trials,omitempty"`
}

// Offer is what each side could do in one matter.
type Offer struct {
	// About is "version", "cipher suite", "group", "signature scheme", "ALPN".
	About  string   `json:"about"`
	Client []string `json:"client"`
	// Server is nil where it did not say.
	Server []string `json:"server,omitempty"`
	// Partial is set where trials have found some of Server, and there may be more.
	Partial bool `json:"partial,omitempty"`
	// Common are in both; empty where the sets miss, or one is not known.
	Common []string `json:"common,omitempty"`
}

// Evidence is one thing that shows it, and where that is found.
type Evidence struct {
	Says string `json:"says"`
	// Event is the place in Connection.Events, from 0, of what shows it; -1 where it is
	// not in the account.
	Event int `json:"event"`
	// Record is the number of the record, from 1, and Message and Field name what is in
	// it; zero and empty where there is none.
	Record  int    `json:"record,omitempty"`
	Message string `json:"message,omitempty"`
	Field   string `json:"field,omitempty"`
	// Trial is the number of the trial that shows it, from 1; 0 for none.
	Trial int `json:"trial,omitempty"`
}

// Where says in a few words where the evidence is; empty where that is nowhere.
func (e Evidence) Where() string {
	where := ""
	switch {
	case e.Trial > 0:
		return fmt.Sprintf("trial %d", e.Trial)
	case e.Message != "" && e.Record > 0:
		where = fmt.Sprintf("%s, record %d", e.Message, e.Record)
	case e.Record > 0:
		where = fmt.Sprintf("record %d", e.Record)
	default:
		where = e.Message
	}
	if e.Field != "" && where != "" {
		where += ", " + e.Field
	}
	return where
}

// Trial is one further connection that was made to find out.
type Trial struct {
	Number int `json:"number"`
	// Asks is what was different, as "without server_name".
	Asks string `json:"asks"`
	// Answer is what came, as "ServerHello: TLS 1.2, TLS_...", "alert handshake_failure".
	Answer string `json:"answer"`
	// Agreed is set where the server took the hello, or the connection came about.
	Agreed bool `json:"agreed"`
}

// OK reports that nothing is wrong.
func (v *Verdict) OK() bool { return v.Cause == Nothing }

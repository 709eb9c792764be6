package lab

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/vitrine-tls/vitrine/wire"
)

// Deviation is the one thing that the one in the middle does.
type Deviation struct {
	// Kind is the name of a row of Kinds.
	Kind string `json:"kind"`
	// From is the side that sends what is touched: "client" or "server".
	From string `json:"from,omitempty"`
	// At counts what that side sends, from 1: records on the wire or, inside, handshake
	// messages and the contents of other records.
	At int `json:"at,omitempty"`
	// Byte is the place in it from 0, of a record with its header. Bit is 0 for the highest.
	Byte int `json:"byte,omitempty"`
	Bit  int `json:"bit,omitempty"`
	// Inside: the keys are known, and what is changed is protected anew. Mend: each
	// Finished and CertificateVerify is made anew too, over what its receiver has seen.
	Inside bool `json:"inside,omitempty"`
	Mend   bool `json:"mend,omitempty"`
	// Text is what else a kind needs: the name of a version, a suite or an extension, or
	// bytes in hexadecimal digits.
	Text string `json:"text,omitempty"`
}

// On is what a kind acts on, and what one has to select to choose it.
type On string

const (
	OnByte       On = "byte"
	OnRecord     On = "record"
	OnClient     On = "ClientHello"
	OnServer     On = "ServerHello"
	OnChain      On = "Certificate"
	OnConnection On = "connection"
)

// A Kind is one way to deviate.
type Kind struct {
	Name string `json:"name"`
	// Title is a phrase for a menu, and What a sentence on what it is.
	Title string `json:"title"`
	What  string `json:"what"`
	On    On     `json:"on"`
	// Text says what Deviation.Text is for; empty where it is not used.
	Text string `json:"text,omitempty"`
	// Inside: it can also be done with the keys known.
	Inside bool `json:"inside,omitempty"`

	words string // of what was done: {at}, {byte}, {bit}, {from}, {unit}, {text} stand for values
	make  func(d *Deviation) (editor, error)
}

const replaySession = "replay-session"

// Kinds are all, in the order of a menu.
var Kinds = []Kind{
	{Name: "flip", Title: "Flip a bit", What: "One bit arrives as the other.", On: OnByte, Inside: true,
		words: "bit {bit} of byte {byte} in {unit} {at} of the {from} was flipped", make: flip},
	{Name: "drop", Title: "Drop it", What: "It never arrives. What comes after it does.", On: OnRecord, Inside: true,
		words: "{unit} {at} of the {from} was dropped", make: drop},
	{Name: "duplicate", Title: "Send it twice", What: "It arrives twice in a row.", On: OnRecord, Inside: true,
		words: "{unit} {at} of the {from} was sent twice", make: duplicate},
	{Name: "replay", Title: "Replay it later", What: "It arrives once more, after the one that follows it.", On: OnRecord, Inside: true,
		words: "{unit} {at} of the {from} was sent once more, after the next", make: replay},
	{Name: "reorder", Title: "Exchange it with the next", What: "The one that follows it arrives first.", On: OnRecord, Inside: true,
		words: "{unit} {at} of the {from} arrived after the next", make: reorder},
	{Name: "inject", Title: "Put something before it", What: "A record of somebody else arrives first.", On: OnRecord, Inside: true,
		Text: "the record, header included, in hexadecimal digits; inside, a handshake message", words: "something was put before {unit} {at} of the {from}", make: inject},
	{Name: "replace", Title: "Put other bytes in its place", What: "The bytes from this one on are others.", On: OnByte, Inside: true,
		Text: "the bytes in hexadecimal digits", words: "the bytes from {byte} on in {unit} {at} of the {from} were replaced", make: replace},
	{Name: "copy-block", Title: "Copy this block over the last", What: "The block of a CBC record that begins here arrives as the last one too.", On: OnByte,
		Text: "the size of a block, 8 or 16; empty for 16", words: "the block at byte {byte} of record {at} of the {from} was copied over the last", make: copyBlock},
	{Name: "truncate", Title: "Cut the stream here", What: "It arrives up to this byte, and then the stream ends.", On: OnByte,
		words: "the stream of the {from} ended in record {at}, before byte {byte}", make: truncate},
	{Name: "end", Title: "Cut the stream before it", What: "The stream ends where it would begin.", On: OnRecord,
		words: "the stream of the {from} ended before record {at}", make: endBefore},
	{Name: "lower-version", Title: "Lower the versions on offer", What: "The client seems to know nothing above this version.", On: OnClient,
		Text: "the highest version that is left", words: "the ClientHello arrived with nothing above {text} on offer", make: lowerVersion},
	{Name: "strip-suite", Title: "Take a suite away", What: "The client seems not to have this suite.", On: OnClient,
		Text: "the name of the suite", words: "the ClientHello arrived without {text}", make: stripSuite},
	{Name: "offer-suites", Title: "Offer other suites", What: "The client seems to have these suites alone.", On: OnClient,
		Text: "the numbers of the suites in hexadecimal digits, like 0003 0006", words: "the ClientHello arrived with the suites {text} alone", make: offerSuites},
	{Name: "strip-extension", Title: "Take an extension away", What: "The client seems not to know this extension.", On: OnClient,
		Text: "the name of the extension", words: "the ClientHello arrived without {text}", make: stripExtension},
	{Name: "answer-suite", Title: "Answer with another suite", What: "The server seems to have chosen this suite.", On: OnServer,
		Text: "the number of the suite in hexadecimal digits", words: "the ServerHello arrived with the suite {text}", make: answerSuite},
	{Name: "swap-certificate", Title: "Swap the certificate", What: "A certificate for the same name arrives, from an authority that nobody trusts.", On: OnChain, Inside: true,
		words: "the server's certificate was swapped for a self-made one", make: swapCertificate},
	{Name: replaySession, Title: "Replay the whole session", What: "All that the client sent is sent to the server once more, on a new connection.", On: OnConnection,
		words: "all that the client had sent was sent to the server once more"},
}

// KindOf is the row of that name.
func KindOf(name string) (*Kind, bool) {
	i := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return nil, false
	}
	return &Kinds[i], true
}

// placed reports that the kind needs a side and a place.
func (k *Kind) placed() bool { return k.On == OnByte || k.On == OnRecord }

// maxText is the most that Text may hold, in bytes.
const maxText = 1 << 16

// check finds what is wrong with a deviation.
func (d *Deviation) check() error {
	if d == nil {
		return nil
	}
	k, ok := KindOf(d.Kind)
	switch {
	case !ok:
		return fmt.Errorf("%q is not a kind of deviation", d.Kind)
	case len(d.Text) > maxText:
		return fmt.Errorf("that is too much text; %d bytes are the most", maxText)
	case d.Inside && !k.Inside:
		return fmt.Errorf("to %q needs no keys: leave inside out", k.Title)
	case d.Mend && !d.Inside:
		return fmt.Errorf("to mend what follows needs the keys: set inside too")
	case !k.placed():
	case d.From != wire.Client.String() && d.From != wire.Server.String():
		return fmt.Errorf("%q is not a side; choose client or server", d.From)
	case d.At < 1:
		return fmt.Errorf("there is no record %d; the first is 1", d.At)
	case d.Byte < 0 || d.Bit < 0 || d.Bit > 7:
		return fmt.Errorf("there is no bit %d of byte %d; bits are 0 to 7", d.Bit, d.Byte)
	}
	return nil
}

// words say what was done.
func (d *Deviation) words() string {
	if d == nil {
		return "nobody was in the middle"
	}
	k, ok := KindOf(d.Kind)
	if !ok {
		return d.Kind
	}
	unit, end := "record", ", on the wire"
	if d.Inside {
		unit, end = "message", ", with the keys known"
	}
	if d.Mend {
		end += " and what follows mended"
	}
	return strings.NewReplacer("{at}", fmt.Sprint(d.At), "{byte}", fmt.Sprint(d.Byte), "{bit}", fmt.Sprint(d.Bit), "{from}", d.From, "{unit}", unit, "{text}", d.Text).Replace(k.words) + end
}

// digits reads hexadecimal digits as people write them.
func digits(s string) ([]byte, error) {
	b, err := hex.DecodeString(strings.NewReplacer(" ", "", "0x", "", ",", "", "\n", "").Replace(s))
	if err != nil {
		return nil, fmt.Errorf("%q are not bytes in hexadecimal digits", s)
	}
	return b, nil
}

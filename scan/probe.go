package scan

import "time"

// A Stage is how far a handshake goes.
type Stage uint8

const (
	// Greeting is the ServerHello, or a HelloRetryRequest.
	Greeting Stage = iota
	// Flight is the server's flight: up to TLS 1.2 to its ServerHelloDone, in TLS 1.3 to
	// its Finished, which a key share that fits the server's group makes readable. A
	// HelloRetryRequest is answered.
	Flight
	// Complete is the whole handshake, with our Finished and the server's.
	Complete
)

func (s Stage) String() string {
	return [...]string{"ServerHello", "the server's flight", "the handshake"}[min(s, Complete)]
}

// A Probe says what is sent, and how far things go. It is a value: it may be used again
// and again, by several goroutines at once.
type Probe struct {
	// Name says in a few words what the probe is for.
	Name  string
	Hello Hello
	// Raw is sent instead of the hello: what is no TLS, say.
	Raw []byte
	// Split are the sizes of the records that the hello is cut into, the last of which
	// takes what is left; nil for one record.
	Split []int
	// Pieces are the sizes of the writes to the connection, the last of which takes what
	// is left; nil for one write.
	Pieces []int
	Until  Stage
	// Then is done when the stage was reached, one step after the other.
	Then []Step
	// Linger is how long the answer to the last step is waited for where no more has to
	// come; 0 for not at all. Where Until is not reached it has no meaning.
	Linger time.Duration

	data   []byte // what a spoiled record holds
	early  []byte // early data behind the hello
	replay *built // a hello that is sent again
	idle   bool   // a sound server may be silent
}

// A Step is something that is done once a handshake has come as far as Probe.Until.
type Step interface {
	run(c *conversation) error
}

// SendBytes sends bytes as they are, past the record layer.
type SendBytes []byte

func (s SendBytes) run(c *conversation) error { return c.write(s) }

// SendRecord sends one record, protected by the keys of the moment.
type SendRecord Record

func (s SendRecord) run(c *conversation) error { return c.send(s.Type, s.Content) }

// Listen reads until the server closes, sends a fatal alert, or is quiet for that long.
type Listen time.Duration

func (s Listen) run(c *conversation) error { return c.linger(time.Duration(s)) }

// CloseNotify sends the alert close_notify.
type CloseNotify struct{}

func (CloseNotify) run(c *conversation) error { return c.alert(closing) }

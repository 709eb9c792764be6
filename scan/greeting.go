package scan

import (
	"slices"
	"strings"
	"time"
)

// greeters are ports on which the server speaks first once TLS has begun: mail, news, files.
var greeters = []string{"465", "563", "990", "993", "994", "995"}

// greeting are the steps that let a server say what it says before it is asked, so that it
// is taken for no answer; none where it speaks HTTP and says nothing.
func (x *audit) greeting() []Step {
	switch {
	case x.speaksHTTP():
		return nil
	case x.at.StartTLS == "" && slices.Contains(greeters, x.port()):
		return []Step{hearGreeting(patience)}
	}
	return []Step{hearGreeting(2 * quiet)}
}

func (x *audit) port() string { return x.at.Address[strings.LastIndexByte(x.at.Address, ':')+1:] }

// hearGreeting waits that long for a greeting, and takes in all of it. What comes behind it
// is Answer.reply.
type hearGreeting time.Duration

func (s hearGreeting) run(c *conversation) error {
	if err := (Await{For: time.Duration(s), Done: func(a *Answer) bool { return len(a.Data()) > 0 }}).run(c); err != nil {
		return err
	}
	if len(c.a.Data()) > 0 {
		if err := c.linger(quiet); err != nil {
			return err
		}
	}
	if c.ended == TimedOut { // silence ends a greeting, and not the conversation
		c.ended, c.a.After = "", ""
	}
	c.a.greeted = len(c.a.Data())
	return nil
}

// hearReply waits that long for a reply, and then for what comes right behind it: an alert
// there says that what came was a late greeting.
type hearReply time.Duration

func (s hearReply) run(c *conversation) error {
	if err := (Await{For: time.Duration(s), Done: replied}).run(c); err != nil || !replied(c.a) {
		return err
	}
	return c.linger(quiet)
}

// reply is the application data that came behind a greeting that was waited for.
func (a *Answer) reply() []byte { return a.Data()[a.greeted:] }

func replied(a *Answer) bool { return len(a.reply()) > 0 }

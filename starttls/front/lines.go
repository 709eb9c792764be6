package front

import (
	"fmt"
	"strings"
)

// line reads one line, without its end.
func (t *talk) line() (string, error) {
	b, err := t.in.ReadSlice('\n')
	if err != nil {
		return "", t.broken(err)
	}
	t.heard = strings.TrimRight(string(b), "\r\n")
	return t.heard, nil
}

// converse greets a client of a protocol of lines, and answers its commands up to the one that
// begins TLS. answer returns what to say, and what comes of it.
func (t *talk) converse(greeting, tooMany string, answer func(verb, rest string) (string, outcome)) error {
	if err := t.say(greeting); err != nil {
		return err
	}
	for range mostCommands {
		line, err := t.line()
		if err != nil {
			return err
		}
		verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		text, what := answer(strings.ToUpper(verb), strings.TrimSpace(rest))
		switch what {
		case begins:
			return t.agree(text)
		case leaves:
			t.say(text) // to a client that may be gone
			return t.left()
		}
		if err := t.say(text); err != nil {
			return err
		}
	}
	t.say(tooMany)
	return t.fail(fmt.Sprintf("there were %d commands without TLS", mostCommands), nil)
}

type outcome int

const (
	goesOn outcome = iota
	begins         // TLS
	leaves
)

// smtp is SMTP. RFC 3207 §4.
func smtp(t *talk) error {
	return t.converse("220 "+t.Name+" ESMTP\r\n", "421 4.7.0 Too many commands without STARTTLS\r\n", func(verb, rest string) (string, outcome) {
		switch verb {
		case "EHLO":
			return "250-" + t.Name + "\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS\r\n", goesOn
		case "HELO":
			return "250 " + t.Name + "\r\n", goesOn
		case "NOOP", "RSET":
			return "250 2.0.0 OK\r\n", goesOn
		case "QUIT":
			return "221 2.0.0 Bye\r\n", leaves
		case "STARTTLS":
			if rest != "" {
				return "501 5.5.4 STARTTLS takes no parameters\r\n", goesOn
			}
			return "220 2.0.0 Ready to start TLS\r\n", begins
		}
		return "530 5.7.0 Must issue a STARTTLS command first\r\n", goesOn
	})
}

// imap is IMAP. RFC 9051 §6.2.1.
func imap(t *talk) error {
	const offer = "CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED"
	return t.converse("* OK ["+offer+"] "+t.Name+" is ready\r\n", "* BYE Too many commands without STARTTLS\r\n", func(_, rest string) (string, outcome) {
		tag, _, _ := strings.Cut(t.heard, " ") // as it was written
		if !isTag(tag) {
			return "* BAD Each command begins with a tag\r\n", goesOn
		}
		if strings.HasSuffix(rest, "}") { // what follows is no line, and would be taken for one
			return "* BYE No literals before STARTTLS\r\n", leaves
		}
		switch strings.ToUpper(rest) {
		case "CAPABILITY":
			return "* " + offer + "\r\n" + tag + " OK CAPABILITY completed\r\n", goesOn
		case "NOOP":
			return tag + " OK NOOP completed\r\n", goesOn
		case "LOGOUT":
			return "* BYE Bye\r\n" + tag + " OK LOGOUT completed\r\n", leaves
		case "STARTTLS":
			return tag + " OK Begin TLS negotiation now\r\n", begins
		}
		return tag + " NO [PRIVACYREQUIRED] Must issue a STARTTLS command first\r\n", goesOn
	})
}

// isTag reports whether s may be said back. RFC 9051 §9.
func isTag(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`(){%*"\+`, r)
	})
}

// pop3 is POP3. RFC 2595 §4.
func pop3(t *talk) error {
	return t.converse("+OK "+t.Name+" is ready\r\n", "-ERR Too many commands without STLS\r\n", func(verb, rest string) (string, outcome) {
		switch verb {
		case "CAPA":
			return "+OK What there is before TLS\r\nSTLS\r\n.\r\n", goesOn
		case "NOOP":
			return "+OK\r\n", goesOn
		case "QUIT":
			return "+OK Bye\r\n", leaves
		case "STLS":
			if rest != "" {
				return "-ERR STLS takes no parameters\r\n", goesOn
			}
			return "+OK Begin TLS negotiation\r\n", begins
		}
		return "-ERR Must issue a STLS command first\r\n", goesOn
	})
}

// ftpClear is FTP's control connection before TLS. RFC 4217 §4.
func ftpClear(t *talk) error {
	return t.converse("220 "+t.Name+" is ready\r\n", "421 Too many commands without AUTH TLS\r\n", func(verb, rest string) (string, outcome) {
		switch verb {
		case "FEAT":
			return "211-Features:\r\n AUTH TLS\r\n PBSZ\r\n PROT\r\n UTF8\r\n211 End\r\n", goesOn
		case "NOOP":
			return "200 OK\r\n", goesOn
		case "QUIT":
			return "221 Bye\r\n", leaves
		case "AUTH":
			switch strings.ToUpper(rest) {
			case "TLS", "TLS-C", "SSL": // SSL means that data is protected too, as PROT P has to say here
				return "234 Begin TLS now\r\n", begins
			}
			return "504 AUTH TLS is what there is\r\n", goesOn
		}
		return "530 Must issue AUTH TLS first\r\n", goesOn
	})
}

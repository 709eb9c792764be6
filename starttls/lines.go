package starttls

import (
	"strings"
)

// The protocols of lines. An answer ends where its protocol says so.
type ending func(line string) bool

// line reads one line, without its end.
func (t *talk) line() (string, error) {
	b, err := t.in.ReadSlice('\n')
	if err != nil {
		return "", t.broken(err)
	}
	text := strings.TrimRight(string(b), "\r\n")
	t.heard(text)
	return text, nil
}

// hear reads an answer to its end.
func (t *talk) hear(ends ending) (answer []string, err error) {
	for {
		line, err := t.line()
		if err != nil {
			return nil, err
		}
		if answer = append(answer, line); ends(line) {
			return answer, nil
		}
	}
}

// ask says a line, which may be none where the server speaks first, and reads the
// answer. Its last line must begin like one of good.
func (t *talk) ask(line string, ends ending, good ...string) (answer []string, err error) {
	if line != "" {
		if err := t.send([]byte(line+"\r\n"), line); err != nil {
			return nil, err
		}
	}
	if answer, err = t.hear(ends); err != nil {
		return nil, err
	}
	last := answer[len(answer)-1]
	for _, g := range good {
		if hasWord(last, g) {
			return answer, nil
		}
	}
	return nil, t.kind(Refused, "the server refuses", nil)
}

// hasWord reports that a line begins with a word, in whatever case.
func hasWord(line, word string) bool {
	return len(line) >= len(word) && strings.EqualFold(line[:len(word)], word) &&
		(len(line) == len(word) || strings.ContainsRune(" -\t[", rune(line[len(word)])))
}

// offers is an error unless one of the words is somewhere in the answer.
func (t *talk) offers(answer []string, word string) error {
	for _, line := range answer {
		for field := range strings.FieldsFuncSeq(line, func(r rune) bool { return strings.ContainsRune(" \t-\"", r) }) {
			if strings.EqualFold(field, word) {
				return nil
			}
		}
	}
	t.answer = strings.Join(answer, " / ")
	return t.kind(NotOffered, "the server does not offer "+word+": it may want TLS from the first byte, on another port, or somebody on the way took the offer out", nil)
}

// single is an answer of one line.
func single(string) bool { return true }

// coded are answers whose last line has a blank behind the number, as in
// "250-PIPELINING" and "250 SIZE". RFC 5321 §4.2.1, RFC 959 §4.2.
func coded(line string) bool {
	return len(line) == 3 || len(line) > 3 && line[3] == ' ' && strings.Trim(line[:3], "0123456789") == ""
}

// dotted are answers that a line with a dot ends, or an error in one line.
func dotted(failed ...string) ending {
	return func(line string) bool {
		for _, f := range failed {
			if hasWord(line, f) {
				return true
			}
		}
		return line == "."
	}
}

// smtp is SMTP or, with the other hello, LMTP. RFC 3207, RFC 2033.
func smtp(hello string) func(*talk) error {
	return func(t *talk) error {
		if _, err := t.ask("", coded, "220"); err != nil {
			return err
		}
		offer, err := t.ask(hello+t.Name, coded, "250")
		if err != nil {
			return err
		}
		if err := t.offers(offer, "STARTTLS"); err != nil {
			return err
		}
		_, err = t.ask("STARTTLS", coded, "220")
		return err
	}
}

// imap is IMAP. RFC 9051 §6.2.1.
func imap(t *talk) error {
	if _, err := t.ask("", single, "* OK"); err != nil {
		return err
	}
	tagged := func(tag string) ending { return func(line string) bool { return hasWord(line, tag) } }
	offer, err := t.ask("v1 CAPABILITY", tagged("v1"), "v1 OK")
	if err != nil {
		return err
	}
	if err := t.offers(offer, "STARTTLS"); err != nil {
		return err
	}
	_, err = t.ask("v2 STARTTLS", tagged("v2"), "v2 OK")
	return err
}

// pop3 is POP3. Old servers do not know CAPA, and are asked all the same. RFC 2595 §4.
func pop3(t *talk) error {
	if _, err := t.ask("", single, "+OK"); err != nil {
		return err
	}
	if offer, err := t.ask("CAPA", dotted("-ERR"), ".", "-ERR"); err != nil {
		return err
	} else if len(offer) > 1 {
		if err := t.offers(offer, "STLS"); err != nil {
			return err
		}
	}
	_, err := t.ask("STLS", single, "+OK")
	return err
}

// ftp is FTP's control connection. RFC 4217 §4.
func ftp(t *talk) error {
	if _, err := t.ask("", coded, "220"); err != nil {
		return err
	}
	_, err := t.ask("AUTH TLS", coded, "234")
	return err
}

// nntp is NNTP. RFC 4642 §2.2.
func nntp(t *talk) error {
	if _, err := t.ask("", single, "200", "201"); err != nil {
		return err
	}
	if offer, err := t.ask("CAPABILITIES", dotted("500", "501", "502", "503", "400", "480"), ".", "500"); err != nil {
		return err
	} else if len(offer) > 1 {
		if err := t.offers(offer, "STARTTLS"); err != nil {
			return err
		}
	}
	_, err := t.ask("STARTTLS", single, "382")
	return err
}

// sieve is ManageSieve. RFC 5804 §2.2.
func sieve(t *talk) error {
	ends := func(line string) bool {
		return hasWord(line, "OK") || hasWord(line, "NO") || hasWord(line, "BYE")
	}
	offer, err := t.ask("", ends, "OK")
	if err != nil {
		return err
	}
	if err := t.offers(offer, "STARTTLS"); err != nil {
		return err
	}
	_, err = t.ask("STARTTLS", ends, "OK")
	return err
}

// irc is IRC, whose server may say other things first. Its answers bear a number behind
// the server's name: 670 for yes, 691 and the rest of the errors for no.
func irc(t *talk) error {
	if err := t.send([]byte("STARTTLS\r\n"), "STARTTLS"); err != nil {
		return err
	}
	for {
		line, err := t.line()
		if err != nil {
			return err
		}
		words := strings.Fields(line)
		if len(words) > 0 && strings.HasPrefix(words[0], ":") {
			words = words[1:]
		}
		switch {
		case len(words) == 0:
		case words[0] == "670":
			return nil
		case words[0] == "691", words[0] == "421", words[0] == "451", words[0] == "ERROR":
			return t.kind(Refused, "the server refuses", nil)
		}
	}
}

package explain

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/flags"
	"github.com/vitrine-tls/vitrine/tls"
)

// message is what is said on a connection.
type message struct {
	content []byte
	words   string // for people: what it is, or why there is nothing
	http    bool   // so that the answer has an end
	early   bool   // content is what the server has not taken of the early data, and it answers
}

// quiet is how long a server says nothing before its answer counts as whole.
const quiet = time.Second

// toSay is what --send says. Else it is a request where HTTP/1.1 was agreed on, or where no
// protocol was and the port is not for another one.
func (e *explanation) toSay(agreed string) message {
	other := flags.OtherProtocol(e.at.Port)
	early := e.options.way.Protocol(e.at)
	switch {
	case e.options.sends && len(e.options.content) == 0:
		return message{words: "nothing was sent, as --send none says"}
	case e.options.sends:
		return message{content: e.options.content, words: "sent: " + beginning(e.options.content)}
	case agreed != "" && agreed != "http/1.1":
		return message{words: fmt.Sprintf("nothing was sent: the protocol is %q; say what with --send", agreed)}
	case agreed == "" && early != "":
		return message{words: fmt.Sprintf("nothing was sent: the server speaks %s; say what with --send", early)}
	case agreed == "" && other != "":
		return message{words: fmt.Sprintf("nothing was sent: port %s is for %s; say what with --send", e.at.Port, other)}
	case agreed == "" && !slices.Contains(e.options.alpn.Protocols, "http/1.1"):
		return message{words: "nothing was sent: no protocol was agreed on; say what with --send"}
	}
	request := fmt.Sprintf("GET / HTTP/1.1\r\nHost: %s\r\nUser-Agent: vitrine-explain\r\nConnection: close\r\n\r\n", e.config.ServerName)
	return message{content: []byte(request), words: `sent: a request for the page "/" in HTTP/1.1; --send changes that`, http: true}
}

// beginning quotes the first line of a content, and counts the rest.
func beginning(content []byte) string {
	const most = 60
	first, rest, _ := bytes.Cut(content, []byte("\n"))
	if len(first) > most || len(rest) > 0 {
		return fmt.Sprintf("%q and what follows, %d bytes in all", first[:min(len(first), most)], len(content))
	}
	return fmt.Sprintf("%q", content)
}

// exchange says it, and reads the answer to a bound: that of HTTP to its end, any other
// until the server is quiet.
func (m *message) exchange(conn *tls.Conn, limit time.Duration) error {
	if len(m.content) == 0 && !m.early {
		return nil
	}
	deadline := time.Now().Add(limit)
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if len(m.content) > 0 {
		if _, err := conn.Write(m.content); err != nil {
			return err
		}
	}
	if !m.http {
		return listen(conn, deadline)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, most))
	return err
}

// listen reads until the server ends, or is quiet after it has said something.
func listen(conn *tls.Conn, deadline time.Time) error {
	buffer := make([]byte, 4096)
	for read := 0; read < most; {
		n, err := conn.Read(buffer)
		read += n
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, os.ErrDeadlineExceeded) && read > 0:
			return nil
		case err != nil:
			return err
		}
		next := time.Now().Add(quiet)
		if next.After(deadline) {
			next = deadline
		}
		if err := conn.SetReadDeadline(next); err != nil {
			return err
		}
	}
	return nil
}

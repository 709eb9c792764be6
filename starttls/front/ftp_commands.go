package front

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// commands passes on what the client says, up to its end. What is about TLS and about data
// connections is answered here, or changed.
func (s *ftpSession) commands() error {
	for {
		b, err := s.in.ReadSlice('\n')
		if errors.Is(err, io.EOF) && len(b) == 0 {
			return nil
		}
		if err != nil {
			return s.fault("the client cannot be read", err)
		}
		s.moved(len(b), 0)
		line := strings.TrimRight(withoutTelnet(string(b)), "\r\n")
		verb, rest, _ := strings.Cut(line, " ")
		switch {
		case strings.ContainsAny(line, "\r\x00"): // a server might see two commands in it
			err = s.say("501 A command is one line")
		case !isVerb(verb): // a server might see one that is rewritten here: "PASV\t", P@SW
			err = s.say("500 A command begins with letters, and one blank follows them")
		default:
			err = s.command(strings.ToUpper(verb), rest, line)
		}
		if err != nil {
			return err
		}
	}
}

// isVerb reports that a word consists of letters alone.
func isVerb(word string) bool {
	other := func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' }
	return word != "" && !strings.ContainsFunc(word, other)
}

// withoutTelnet drops what clients send before ABOR: interrupt, and the mark of it. RFC 959 §4.1.3.
func withoutTelnet(line string) string {
	for len(line) > 1 && line[0] == 0xff {
		line = line[2:]
	}
	return line
}

func (s *ftpSession) command(verb, rest, line string) error {
	switch verb {
	case "AUTH":
		return s.say("503 TLS is on already")
	case "PBSZ":
		s.sized = true
		return s.say("200 PBSZ=0")
	case "PROT":
		return s.protect(strings.ToUpper(strings.TrimSpace(rest)))
	case "CCC":
		return s.say("533 The control connection stays protected")
	case "REIN", "LPSV", "LPRT", "CPSV", "SPSV", "SSCN", "ESTP", "ESTA":
		return s.say("502 " + verb + " is not passed on")
	case "PASV", "EPSV":
		return s.passive(verb, strings.ToUpper(strings.TrimSpace(rest)))
	case "PORT", "EPRT":
		return s.active(verb, strings.TrimSpace(rest))
	}
	return s.forward(line, &expected{features: verb == "FEAT"})
}

// forward says something to the server.
func (s *ftpSession) forward(line string, e *expected) error {
	if err := s.expect(e); err != nil {
		return err
	}
	_, err := io.WriteString(s.server, line+"\r\n")
	return err
}

// protect is PROT. RFC 4217 §9, RFC 2228 §3.
func (s *ftpSession) protect(level string) error {
	switch {
	case !s.sized:
		return s.say("503 PBSZ comes first")
	case level == "P":
		s.setPrivate(true)
		return s.say("200 Data connections are private")
	case level == "C" && s.ClearData:
		s.setPrivate(false)
		return s.say("200 Data connections are in the clear")
	case level == "C":
		return s.say("534 Data connections must be private: PROT P")
	case level == "S", level == "E":
		return s.say("536 There are PROT P and PROT C")
	}
	return s.say("504 There are PROT P and PROT C")
}

// setPrivate sets the level of data connections. One that was prepared at another level is dropped.
func (s *ftpSession) setPrivate(private bool) {
	if s.private.Swap(private) != private {
		s.replaceData(nil)
	}
}

// mayTransfer reports whether data may go as it would now.
func (s *ftpSession) mayTransfer() bool { return s.private.Load() || s.ClearData }

const unprotected = "521 Data connections must be private: PBSZ 0 and PROT P come first"

// passive is PASV and EPSV: the server says where it is to be connected to, and we say where we are.
func (s *ftpSession) passive(verb, rest string) error {
	local := ipOf(s.client.LocalAddr())
	shown := local
	if s.Address.IsValid() {
		shown = s.Address
	}
	switch {
	case verb == "EPSV" && rest == "ALL":
		s.extended = true
		return s.say("200 EPSV is used from here on")
	case !s.mayTransfer():
		return s.say(unprotected)
	case !local.IsValid():
		return s.say("425 There are data connections over TCP alone")
	case verb == "PASV" && s.extended:
		return s.say("501 EPSV ALL was said")
	case verb == "PASV" && !shown.Is4():
		return s.say("425 This is not IPv4: use EPSV")
	case verb == "EPSV" && rest != "" && rest != family(local):
		return s.say("522 Use the protocol of this connection: (" + family(local) + ")")
	}
	private := s.private.Load()
	return s.ask(verb, func(port int) string {
		d, err := s.listen(local, s.FirstPort, s.LastPort)
		if err != nil {
			return "425 No data connection can be had"
		}
		ours := d.port()
		d.private, d.near, d.far = private, ipOf(s.client.RemoteAddr()), net.JoinHostPort(ipOf(s.server.RemoteAddr()).String(), strconv.Itoa(port))
		s.start(d)
		if s.private.Load() != private { // PROT came between the question and its answer
			d.cancel()
			return "425 The level of data connections has changed"
		}
		if verb == "EPSV" {
			return fmt.Sprintf("229 Entering Extended Passive Mode (|||%d|)", ours)
		}
		return fmt.Sprintf("227 Entering Passive Mode (%s,%d,%d)", strings.ReplaceAll(shown.String(), ".", ","), ours>>8, ours&255)
	})
}

// ask asks the server for a port, and answers with what then has of it.
func (s *ftpSession) ask(verb string, then func(port int) string) error {
	question, code, parse := "EPSV", "229", portOfEPSV
	if ipOf(s.server.RemoteAddr()).Is4() {
		question, code, parse = "PASV", "227", portOfPASV
	}
	return s.forward(question, &expected{edit: func(line string) string {
		if !strings.HasPrefix(line, code) {
			if line[0] == '2' {
				return "425 No data connection can be had\r\n"
			}
			return line
		}
		port := parse(line)
		if port <= 0 || port > 65535 {
			return "425 No data connection can be had\r\n"
		}
		return then(port) + "\r\n"
	}})
}

// portOfPASV is the port in "227 ... (h1,h2,h3,h4,p1,p2)". The address is not believed: it is
// that of the control connection. 0 is for none.
func portOfPASV(line string) int {
	if len(line) < 4 {
		return 0
	}
	for field := range strings.FieldsFuncSeq(line[4:], func(r rune) bool { return r != ',' && (r < '0' || r > '9') }) {
		if strings.Count(field, ",") == 5 {
			_, port := sixNumbers(field)
			return port
		}
	}
	return 0
}

// sixNumbers is an address and a port as PORT has them. RFC 959 §4.1.2.
func sixNumbers(s string) (address netip.Addr, port int) {
	var n [6]uint8
	fields := strings.Split(s, ",")
	if len(fields) != len(n) {
		return netip.Addr{}, 0
	}
	for i, f := range fields {
		v, err := strconv.ParseUint(f, 10, 8)
		if err != nil {
			return netip.Addr{}, 0
		}
		n[i] = uint8(v)
	}
	return netip.AddrFrom4([4]byte(n[:4])), int(n[4])<<8 | int(n[5])
}

// portOfEPSV is the port in "229 ... (|||6446|)". RFC 2428 §3.
func portOfEPSV(line string) int {
	_, rest, found := strings.Cut(line, "(|||")
	digits, _, closed := strings.Cut(rest, "|)")
	port, err := strconv.ParseUint(digits, 10, 16)
	if !found || !closed || err != nil {
		return 0
	}
	return int(port)
}

// active is PORT and EPRT: the client says where it is to be connected to, and we tell the
// server to connect to us.
func (s *ftpSession) active(verb, rest string) error {
	var to netip.Addr
	var port int
	if verb == "PORT" {
		to, port = sixNumbers(rest)
	} else {
		to, port = extendedPort(rest)
	}
	near := ipOf(s.server.LocalAddr())
	switch {
	case s.extended:
		return s.say("501 EPSV ALL was said")
	case !s.mayTransfer():
		return s.say(unprotected)
	case !to.IsValid() || port == 0:
		return s.say("501 This is not an address")
	case to != ipOf(s.client.RemoteAddr()) || port < 1024:
		return s.say("500 Data goes to the client's own address alone, and to no port below 1024")
	case !near.IsValid():
		return s.say("425 There are data connections over TCP alone")
	}
	d, err := s.listen(near, 0, 0)
	if err != nil {
		return s.say("425 No data connection can be had")
	}
	d.active, d.private, d.near = true, s.private.Load(), ipOf(s.server.RemoteAddr())
	d.far = net.JoinHostPort(to.String(), strconv.Itoa(port))
	ours := d.port()
	command := fmt.Sprintf("PORT %s,%d,%d", strings.ReplaceAll(near.String(), ".", ","), ours>>8, ours&255)
	if !near.Is4() {
		command = fmt.Sprintf("EPRT |2|%s|%d|", near, ours)
	}
	s.start(d)
	return s.forward(command, &expected{})
}

// extendedPort is an address and a port as in "|1|132.235.1.2|6275|". RFC 2428 §2.
func extendedPort(s string) (netip.Addr, int) {
	if s == "" {
		return netip.Addr{}, 0
	}
	fields := strings.Split(s, s[:1])
	if len(fields) != 5 || fields[0] != "" || fields[4] != "" {
		return netip.Addr{}, 0
	}
	address, err := netip.ParseAddr(fields[2])
	port, portErr := strconv.ParseUint(fields[3], 10, 16)
	if err != nil || portErr != nil || fields[1] != family(address) || address.Zone() != "" {
		return netip.Addr{}, 0
	}
	return address.Unmap(), int(port)
}

// family is the number of an address's protocol. RFC 2428 §2.
func family(a netip.Addr) string {
	if a.Is4() {
		return "1"
	}
	return "2"
}

// ipOf is the address without port; invalid for what is not TCP.
func ipOf(a net.Addr) netip.Addr {
	tcp, is := a.(*net.TCPAddr)
	if !is {
		return netip.Addr{}
	}
	return tcp.AddrPort().Addr().Unmap()
}

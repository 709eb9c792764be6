package starttls

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

const xmppTLS = "urn:ietf:params:xml:ns:xmpp-tls"

// xmpp is XMPP between a client and its server, or two servers. RFC 6120 §5.4.
func xmpp(namespace string) func(*talk) error {
	return func(t *talk) error {
		var host bytes.Buffer
		if err := xml.EscapeText(&host, []byte(t.Host)); err != nil {
			return err
		}
		open := fmt.Sprintf("<?xml version='1.0'?><stream:stream xmlns='%s' xmlns:stream='http://etherx.jabber.org/streams' to='%s' version='1.0'>", namespace, &host)
		if err := t.send([]byte(open), open); err != nil {
			return err
		}
		in := xml.NewDecoder(t.in) // which reads byte by byte what can do that
		if err := t.features(in); err != nil {
			return err
		}
		start := "<starttls xmlns='" + xmppTLS + "'/>"
		if err := t.send([]byte(start), start); err != nil {
			return err
		}
		switch element, err := t.next(in); {
		case err != nil:
			return err
		case element.Name != xml.Name{Space: xmppTLS, Local: "proceed"}:
			return t.kind(Refused, "the server refuses", nil)
		}
		if err := in.Skip(); err != nil {
			return t.broken(err)
		}
		return nil
	}
}

// features reads the opening of the stream and what the server can do.
func (t *talk) features(in *xml.Decoder) error {
	for {
		element, err := t.next(in)
		switch {
		case err != nil:
			return err
		case element.Name.Local == "stream":
			continue
		case element.Name.Local != "features":
			return t.kind(Refused, "the server refuses the stream", nil)
		}
		var offer struct {
			Any []struct{ XMLName xml.Name } `xml:",any"`
		}
		if err := in.DecodeElement(&offer, &element); err != nil {
			return t.broken(err)
		}
		var names []string
		for _, f := range offer.Any {
			if f.XMLName == (xml.Name{Space: xmppTLS, Local: "starttls"}) {
				return nil
			}
			names = append(names, f.XMLName.Local)
		}
		t.heard(strings.Join(names, " "))
		return t.kind(NotOffered, "the server does not offer starttls", nil)
	}
}

// next reads up to the next element that begins.
func (t *talk) next(in *xml.Decoder) (xml.StartElement, error) {
	for {
		token, err := in.Token()
		if err != nil {
			return xml.StartElement{}, t.broken(err)
		}
		if element, ok := token.(xml.StartElement); ok {
			t.heard("<" + element.Name.Local + ">")
			return element.Copy(), nil
		}
	}
}

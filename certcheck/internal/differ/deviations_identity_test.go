package differ

import (
	"bytes"
	"slices"
	"time"

	"github.com/vitrine-tls/vitrine/certcheck/internal/forge"
)

func identityDeviations() []deviation {
	number := func(content ...byte) func(*forge.Cert) {
		return func(c *forge.Cert) { c.Serial = append([]byte{}, content...) }
	}
	return slices.Concat(
		changed("version 1 without extensions", inter, inter, rfc, func(c *forge.Cert) { c.Version, c.Extensions = 1, nil }),
		changed("version 1 with extensions", inter, inter, inter, func(c *forge.Cert) { c.Version = 1 }),
		changed("version 2 with extensions", inter, inter, inter, func(c *forge.Cert) { c.Version = 2 }),
		changed("version 3 without extensions", inter, inter, inter, func(c *forge.Cert) { c.Extensions = nil }),
		changed("version 3 with an empty list of extensions", inter, inter, inter, func(c *forge.Cert) { c.Extensions = []forge.Ext{} }),
		changed("version 4", inter, inter, inter, func(c *forge.Cert) { c.Version = 4 }),
		changed("serial number 0", rfc, rfc, rfc, number(0)),
		changed("serial number below 0", inter, inter, inter, number(0xff, 1, 2, 3, 4, 5, 6, 7, 8)),
		changed("serial number of 21 octets", rfc, rfc, rfc, number(bytes.Repeat([]byte{0x41}, 21)...)),
		changed("serial number of 20 octets and a zero in front", rfc, rfc, rfc, number(append([]byte{0}, bytes.Repeat([]byte{0x81}, 20)...)...)),
		changed("serial number of 1 octet", web, web, never, number(7)),
		changed("serial number with a zero too many", inter, inter, inter, number(0, 0x41, 2, 3, 4, 5, 6, 7, 8)),
		changed("serial number without content", inter, inter, inter, number()),
		changed("unique identifier", rfc, rfc, rfc, func(c *forge.Cert) { c.UniqueID = []byte{1, 2, 3} }),
		one("leaf: empty subject, subjectAltName not critical", rfc, func(s *specimen) { s.Leaf.Subject = forge.Name("") }),
		one("leaf: empty subject, subjectAltName critical", never, func(s *specimen) {
			s.Leaf.Subject = forge.Name("")
			flip(forge.IDSAN)(&s.Leaf)
		}),
		one("intermediate: empty subject", rfc, func(s *specimen) { s.Intermediate.Subject, s.Leaf.Issuer = forge.Name(""), forge.Name("") }),
		one("root: empty subject", rfc, func(s *specimen) {
			s.Root.Subject, s.Root.Issuer, s.Intermediate.Issuer = forge.Name(""), forge.Name(""), forge.Name("")
		}),
		changed("issuer of another name", inter, inter, never, func(c *forge.Cert) { c.Issuer = forge.Name("Somebody Else") }),
		changed("no authority key identifier", rfc, rfc, skip, remove(forge.IDAuthorityKey)),
		changed("no subject key identifier", skip, rfc, rfc, remove(forge.IDSubjectKey)),
		extended("authority key identifier of another key", rfc, rfc, skip, forge.AuthorityKey([]byte("some other key"))),
		extended("subject key identifier of another key", skip, rfc, rfc, forge.SubjectKey([]byte("some other key"))),
		extended("authority key identifier empty", rfc, rfc, skip, with(forge.AuthorityKey(nil), []byte{0x30, 0})),
		extended("authority key identifier that is no sequence", inter, inter, inter, with(forge.AuthorityKey(nil), []byte{4, 1, 1})),
		extended("subject key identifier that is no string", skip, inter, inter, with(forge.SubjectKey(nil), []byte{0x30, 0})),
		changed("authority key identifier critical", inter, inter, skip, flip(forge.IDAuthorityKey)),
		changed("subject key identifier critical", skip, inter, inter, flip(forge.IDSubjectKey)),
		one("leaf: authority key identifier with another issuer and serial number", rfc, func(s *specimen) {
			id := forge.KeyID(s.keys[middle].Public())
			other := forge.Directory(forge.Name("Somebody Else"))
			s.Leaf.Replace(with(forge.AuthorityKey(nil), forge.Sequence(forge.Tagged(0x80, id), forge.Tagged(0xa1, other), forge.Tagged(0x82, []byte{9}))))
		}),
	)
}

func timeDeviations() []deviation {
	utc := func(s string) []byte { return forge.Tagged(0x17, []byte(s)) }
	general := func(s string) []byte { return forge.Tagged(0x18, []byte(s)) }
	from := func(der []byte) func(*forge.Cert) { return func(c *forge.Cert) { c.NotBefore = der } }
	to := func(der []byte) func(*forge.Cert) { return func(c *forge.Cert) { c.NotAfter = der } }
	return slices.Concat(
		changed("expired", inter, inter, inter, to(forge.Time(moment.Add(-day)))),
		changed("expired a second ago", inter, inter, inter, to(forge.Time(moment.Add(-time.Second)))),
		changed("expires now", never, never, never, to(forge.Time(moment))),
		changed("valid from now", never, never, never, from(forge.Time(moment))),
		changed("valid in a second", inter, inter, inter, from(forge.Time(moment.Add(time.Second)))),
		changed("valid next year", inter, inter, inter, from(forge.Time(moment.Add(365*day)))),
		changed("ends before it begins", inter, inter, inter, func(c *forge.Cert) { c.NotBefore, c.NotAfter = c.NotAfter, c.NotBefore }),
		changed("GeneralizedTime before 2050", rfc, rfc, rfc, to(forge.GeneralizedTime(moment.Add(30*day)))),
		changed("GeneralizedTime with fractions", inter, inter, inter, to(general("20260701120000.5Z"))),
		changed("UTCTime without seconds", rfc, rfc, rfc, to(utc("2607011200Z"))),
		changed("UTCTime with an offset", rfc, rfc, rfc, to(utc("260701120000+0100"))),
		changed("UTCTime without Z", inter, inter, inter, to(utc("260701120000"))),
		changed("month 13", inter, inter, inter, to(utc("261301120000Z"))),
		changed("30 February", inter, inter, inter, to(utc("270230120000Z"))),
		changed("a minute of 61 seconds", inter, inter, inter, to(utc("260701120060Z"))),
		changed("letters in a time", inter, inter, inter, to(utc("26O701120000Z"))),
		changed("from 1950", web, never, never, from(utc("500101000000Z"))),
		changed("from 1949", web, never, never, from(general("19490101000000Z"))),
		changed("until 9999", web, never, never, to(general("99991231235959Z"))),
		changed("until 2049", web, never, never, to(utc("491231235959Z"))),
		changed("valid for 399 days", web, never, never, func(c *forge.Cert) {
			c.NotBefore, c.NotAfter = forge.Time(moment.Add(-day)), forge.Time(moment.Add(398*day))
		}),
		changed("a time that is an INTEGER", inter, inter, inter, to([]byte{2, 1, 1})),
	)
}

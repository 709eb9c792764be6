package certcheck

import (
	"context"
	"testing"
)

func BenchmarkParse(b *testing.B) {
	root := authority(b, "Root", nil)
	in := raw(server(b, root), root)
	kept, err := Parse(in)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(in); err != nil {
			b.Fatal(err)
		}
	}
	_ = kept[0].Raw
}

func BenchmarkVerify(b *testing.B) {
	root := authority(b, "Root", nil)
	sub := authority(b, "Sub", root)
	certs := chain(server(b, sub), sub)
	o := Options{Roots: trust(root), Time: now, Name: "example.com"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Verify(context.Background(), certs, o); err != nil {
			b.Fatal(err)
		}
	}
}

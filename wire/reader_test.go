package wire

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// The first failure sticks, and what is read after it is zero.
func TestReaderKeepsTheFirstFailure(t *testing.T) {
	r := NewReader([]byte{1, 2, 3}, nil)
	r.Bytes("first", 2)
	if got := r.U32("second"); got != 0 {
		t.Errorf("second = %d", got)
	}
	if got := U8[uint8](&r, "third"); got != 0 || r.More() {
		t.Errorf("third = %d although a byte is left, more = %v", got, r.More())
	}
	r.Fail("fourth", "anything")
	var s *SyntaxError
	if err := r.Finish("all"); !errors.As(err, &s) || s.Field != "second" || s.Offset != 2 {
		t.Errorf("%v", err)
	}
	if want := "malformed second at byte 2: 4 bytes are needed, 1 are left"; s.Error() != want {
		t.Errorf("error reads %q, want %q", s, want)
	}
}

// A vector that is not read to its end is an error, not a skip.
func TestReaderRefusesBytesLeftInAVector(t *testing.T) {
	r := NewReader([]byte{3, 1, 2, 3}, nil)
	m := r.Open("list", 1, 0, 255)
	r.Bytes("item", 2)
	r.Close("list", m)
	if err := r.Err(); err == nil || !strings.Contains(err.Error(), "list") {
		t.Error(err)
	}
}

// A vector cannot reach past the one around it.
func TestReaderConfinesAVectorToItsParent(t *testing.T) {
	r := NewReader([]byte{3, 2, 8, 9, 7, 7}, nil)
	outer := r.Open("outer", 1, 0, 255)
	inner := r.Open("inner", 1, 0, 255)
	if r.Left() != 2 {
		t.Errorf("%d bytes in the inner vector", r.Left())
	}
	r.Rest("items")
	r.Close("inner", inner)
	r.Close("outer", outer)
	if r.Left() != 2 || r.Err() != nil {
		t.Errorf("%d bytes left, %v", r.Left(), r.Err())
	}

	r = NewReader([]byte{1, 2, 8, 9}, nil)
	r.Open("outer", 1, 0, 255)
	r.Open("inner", 1, 0, 255)
	if r.Err() == nil {
		t.Error("the inner vector reached past the outer one")
	}
}

// Appending to a slice that was read must not write into the input.
func TestReadSlicesHaveNoSpareCapacity(t *testing.T) {
	input := []byte{1, 2, 3, 4}
	r := NewReader(input, nil)
	_ = append(r.Bytes("two", 2), 0xff)
	if input[2] != 3 {
		t.Error("the input was overwritten")
	}
}

func TestVectorTooLongForItsPrefix(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a length was cut off silently")
		}
	}()
	appendOpaque(nil, 1, make([]byte, 256))
}

func TestRecorderKeepsSpansBeforeAnError(t *testing.T) {
	g := find(t, "ClientHello", "rfc8448-3")
	rec := new(Recorder)
	if err := Decode(new(ClientHello), g.body()[:60], g.ctx, rec); err == nil {
		t.Fatal("accepted")
	}
	last := rec.Spans[len(rec.Spans)-1]
	if rec.Spans[1].Name != "random" || rec.Spans[1].Length != 32 || last.Name != "undecoded" || last.Offset+last.Length != 60 {
		t.Errorf("%+v", rec.Spans)
	}
}

// Names from a peer must not be able to write to a terminal.
func TestRecorderQuotesText(t *testing.T) {
	rec := new(Recorder)
	r := NewReader(AppendServerName(nil, "a\x1b[31m\n"), rec)
	ReadServerName(&r)
	if value := rec.Spans[len(rec.Spans)-1].Value; value != `"a\x1b[31m\n"` {
		t.Errorf("%s", value)
	}
}

// A reader that gives up in the middle of a structure leaves groups open. Their spans end
// where the reading did, and the rest is in none of them.
func TestFinishClosesWhatIsOpen(t *testing.T) {
	var rec Recorder
	r := NewReader([]byte{3, 1, 2, 3, 9}, &rec)
	r.Open("list", 1, 0, 255)
	r.Group("item")
	U8[uint8](&r, "first")
	r.Fail("second", "no such thing")
	if r.Finish("all") == nil {
		t.Error("no error")
	}
	want := []Span{
		{Name: "list", Length: 2, Group: true}, {Name: "length", Length: 1, Depth: 1, Value: "3"},
		{Name: "item", Offset: 1, Length: 1, Depth: 1, Group: true}, {Name: "first", Offset: 1, Length: 1, Depth: 2, Value: "1"},
		{Name: "undecoded", Offset: 2, Length: 3, Value: "not understood"},
	}
	if !slices.Equal(rec.Spans, want) {
		t.Errorf("%+v\nwant %+v", rec.Spans, want)
	}
}

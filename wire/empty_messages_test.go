package wire

import "testing"

func FuzzHelloRequest(f *testing.F)    { fuzzMessage(f, TypeHelloRequest) }
func FuzzServerHelloDone(f *testing.F) { fuzzMessage(f, TypeServerHelloDone) }
func FuzzEndOfEarlyData(f *testing.F)  { fuzzMessage(f, TypeEndOfEarlyData) }

func TestEmptyMessagesAreEmpty(t *testing.T) {
	for _, m := range []Message{new(HelloRequest), new(ServerHelloDone), new(EndOfEarlyData)} {
		if raw := AppendMessage(nil, m, Context{}); len(raw) != HeaderLen {
			t.Errorf("%v: %x", m.Type(), raw)
		}
		if err := Decode(m, []byte{0}, Context{}, nil); err == nil {
			t.Errorf("%v with a byte in it was accepted", m.Type())
		}
	}
}

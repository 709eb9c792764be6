package explain

import "testing"

// look is how a text shall look; package text has options of that kind.
type look struct {
	Width   int
	Summary bool
}

// Render writes an account as text. The renderer imports this package, so its
// tests cannot import the renderer: render_test.go, outside of it, sets Render.
var Render func(c *Connection, width int, summary bool) (string, error)

func render(t *testing.T, c *Connection, l look) string {
	t.Helper()
	out, err := Render(c, l.Width, l.Summary)
	if err != nil {
		t.Fatal(err)
	}
	c.mustBeSaid(t)
	return out
}

package diff

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"io"
	"regexp"
	"strings"
	"testing"

	"github.com/vitrine-tls/vitrine/explain"
)

// What a peer chose is text on the page, and the page may load nothing.
func TestPageTakesNothingFromPeers(t *testing.T) {
	a := &explain.Connection{Side: "client", Target: `<script src="//x.example">`, Summary: explain.Summary{ALPN: "<img src=x>", ServerName: "a.example"}}
	b := &explain.Connection{Side: "client", Summary: explain.Summary{ServerName: "b.example"}}
	var page bytes.Buffer
	if err := Of(a, b).HTML(&page); err != nil {
		t.Fatal(err)
	}
	out := page.String()
	if strings.Contains(out, "<script") || strings.Contains(out, "<img") || strings.Contains(out, "src=\"") {
		t.Errorf("a peer's text is markup:\n%s", out)
	}
	for _, want := range []string{"&lt;img src=x&gt;", `<li class="only">a.example</li>`, `<li class="only">b.example</li>`, `class="none"`} {
		if !strings.Contains(out, want) {
			t.Errorf("the page lacks %s:\n%s", want, out)
		}
	}
	style := regexp.MustCompile(`(?s)<style>(.*)</style>`).FindStringSubmatch(out)
	if style == nil {
		t.Fatal("there is no style")
	}
	hash := sha256.Sum256([]byte(style[1]))
	if policy := "default-src &#39;none&#39;"; !strings.Contains(out, policy) ||
		!strings.Contains(strings.ReplaceAll(out, "&#43;", "+"), base64.StdEncoding.EncodeToString(hash[:])) {
		t.Errorf("the policy does not name the style, whose hash is %s", base64.StdEncoding.EncodeToString(hash[:]))
	}
}

// The page of connections that are the same says so, and every element is closed.
func TestPageOfTheSame(t *testing.T) {
	m := newMaker(t)
	a, b := m.make(t, nil), m.make(t, nil)
	var page bytes.Buffer
	if err := Of(a, b).HTML(&page); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(page.String(), "<h1>Nothing differs</h1>") {
		t.Errorf("%s", page.String())
	}
	in := xml.NewDecoder(strings.NewReader(strings.Replace(page.String(), "<!doctype html>", "", 1)))
	in.Strict, in.AutoClose = false, []string{"meta"}
	for {
		if _, err := in.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

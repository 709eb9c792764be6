package page

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"html"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitrine-tls/vitrine/internal/proof/leak"
	"github.com/vitrine-tls/vitrine/scan"
	"github.com/vitrine-tls/vitrine/scan/policy"
)

var update = flag.Bool("update", false, "write the page of docs again")

func TestMain(m *testing.M) { leak.Main(m) }

// kept are three servers: an old one, one of today, and one that is gone.
func kept(t *testing.T) (all []*scan.Report) {
	t.Helper()
	raw, err := os.ReadFile("testdata/reports.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Reports []*scan.Report }
	if err := json.Unmarshal(raw, &file); err != nil || len(file.Reports) != 3 {
		t.Fatal(len(file.Reports), err)
	}
	return file.Reports
}

// keptPage has all of them, compared with a policy and an earlier scan.
func keptPage(t *testing.T) Page {
	t.Helper()
	p := Page{Policy: "mozilla-intermediate"}
	for _, r := range kept(t) {
		p.Servers = append(p.Servers, Server{Report: r})
	}
	p.Servers[0].Differences = []policy.Difference{{Rule: "versions", Found: "TLS 1.0", Allowed: "allowed are TLS 1.2, TLS 1.3"},
		{Rule: "suites", Found: "TLS 1.2: TLS_RSA_WITH_NULL_SHA256", Allowed: "it is not among those allowed"}, {Rule: "hsts_seconds", Found: "max-age is 0", Allowed: "at least 63072000"}}
	p.Servers[0].Changes = []policy.Change{{Worse: true, What: "new finding: No HSTS [no-hsts]"}, {What: "gone: group secp521r1"}}
	p.Servers[2].New = true
	return p
}

func write(t *testing.T, p Page) string {
	t.Helper()
	var out bytes.Buffer
	if err := Write(&out, p); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// The page in docs/examples is what is written today of the kept reports.
func TestExample(t *testing.T) {
	file, got := filepath.Join("..", "..", "docs", "examples", "scan.html"), write(t, keptPage(t))
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(file); err != nil || string(want) != got {
		t.Errorf("%s is not what is written today; run go test ./scan/page -run Example -update (%v)", file, err)
	}
}

// between is the text between two others.
func between(t *testing.T, s, begin, end string) string {
	t.Helper()
	_, s, ok := strings.Cut(s, begin)
	s, _, ok2 := strings.Cut(s, end)
	if !ok || !ok2 {
		t.Fatalf("nothing between %q and %q", begin, end)
	}
	return s
}

// The policy allows what is in the page, by its hash, and nothing else.
func TestNothingButItself(t *testing.T) {
	out := write(t, keptPage(t))
	policy := html.UnescapeString(between(t, out, `Content-Security-Policy" content="`, `"`))
	for _, want := range []string{"default-src 'none'", "script-src '" + hashOf(between(t, out, "<script>", "</script>")) + "'", "style-src '" + hashOf(between(t, out, "<style>", "</style>")) + "'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy %q lacks %q", policy, want)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Count(out, "<script") != 1 || strings.Contains(out, " style=") || strings.Contains(out, " src=") {
		t.Errorf("the page has more than its own: policy %q", policy)
	}
}

// hostile is what a server may say: markup for every place where text can stand, characters
// that cannot be seen, and one that turns the direction.
const hostile = "</title></style></script><script>alert(1)</script><img src=x onerror=alert(2)>\"'` onclick=alert(3) <!-- {{.}} javascript:alert(4) \x1b[2J\u202e\u200b"

// poison writes hostile text into every string below v.
func poison(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		poison(v.Elem())
	case reflect.Slice:
		if v.Len() == 0 {
			v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		}
		for i := range v.Len() {
			poison(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Type != reflect.TypeFor[time.Time]() {
				poison(v.Field(i))
			}
		}
	case reflect.String:
		v.SetString(hostile)
	case reflect.Bool:
		v.SetBool(true)
	}
}

// hostilePage has hostile text everywhere, in a server that answers and in one that does not.
func hostilePage() Page {
	p := Page{Servers: make([]Server, 2), Policy: hostile, Title: hostile}
	for i := range p.Servers {
		poison(reflect.ValueOf(&p.Servers[i]).Elem())
		p.Servers[i].Report.Err = nil
	}
	p.Servers[0].Report.Failure = ""
	p.Servers[0].Report.Clients = append(p.Servers[0].Report.Clients, scan.PlayedClient{Name: hostile, Why: hostile})
	p.Servers[0].Report.Chains = append(p.Servers[0].Report.Chains, scan.ChainReport{Problem: hostile, Hint: hostile})
	return p
}

// element begins one, and values are those of its attributes.
var (
	element = regexp.MustCompile(`<[a-zA-Z!/][^>]*`)
	values  = regexp.MustCompile(`="[^"]*"`)
)

// Whatever servers say is text: the page has the elements and attributes that it always has.
func TestServersAreText(t *testing.T) {
	out := write(t, hostilePage())
	if n := strings.Count(out, html.EscapeString("<img src=x onerror=alert(2)>")); n < 60 {
		t.Errorf("hostile text stands on the page %d times only", n)
	}
	body := strings.NewReplacer(between(t, out, "<style>", "</style>"), "", between(t, out, "<script>", "</script>"), "").Replace(out)
	for _, e := range element.FindAllString(values.ReplaceAllString(body, ""), -1) {
		if strings.HasPrefix(e, "<img") || strings.HasPrefix(e, "<!--") || strings.Contains(e, "onclick") {
			t.Errorf("a server's text is markup: %q", e)
		}
	}
	if strings.Count(out, "<script") != 1 || strings.Count(out, "</style") != 1 || strings.Count(out, "</title") != 1 {
		t.Error("a server's text ends an element")
	}
	if strings.ContainsAny(out, "\x1b\u202e\u200b") || !strings.Contains(out, `\u202e`) {
		t.Error("what cannot be seen is on the page as it is")
	}
	if regexp.MustCompile(`href="\s*javascript`).MatchString(out) {
		t.Error("a link runs a script")
	}
}

// What the first lines say, of one server and of many.
func TestHeadlines(t *testing.T) {
	all := kept(t)
	old, today, gone := all[0], all[1], all[2]
	fair := *old
	fair.Findings = slices.DeleteFunc(slices.Clone(old.Findings), func(f scan.Finding) bool { return f.Severity.Worse(scan.Medium) })
	partly := *today
	partly.Unanswered = 40
	for _, c := range []struct {
		want    string
		reports []*scan.Report
	}{
		{"It is not all right", []*scan.Report{old}},
		{"It could be better", []*scan.Report{&fair}},
		{"It is all right", []*scan.Report{today}},
		{"No TLS here", []*scan.Report{gone}},
		{"1 of 3 servers is not all right", all},
		{"2 of 3 servers are not all right", []*scan.Report{old, old, today}},
		{"1 of 2 servers could be better", []*scan.Report{&fair, today}},
		{"1 of 2 servers does not speak TLS, or does not answer", []*scan.Report{gone, today}},
		{"Not all is known", []*scan.Report{&partly}},
		{"1 of 2 servers is known in part alone", []*scan.Report{&partly, today}},
		{"All 2 servers are all right", []*scan.Report{today, today}},
	} {
		var p Page
		for _, r := range c.reports {
			p.Servers = append(p.Servers, Server{Report: r})
		}
		out := write(t, p)
		if h1 := between(t, between(t, out, "<h1", "</h1>")+"<", ">", "<"); h1 != c.want {
			t.Errorf("%q, not %q", h1, c.want)
		}
		if strings.Contains(out, `class="contents"`) != (len(c.reports) > 1) {
			t.Errorf("%s: a table of contents is for many", c.want)
		}
	}
}

// Of a policy is said how many servers could be compared with it.
func TestServersThatCouldNotBeCompared(t *testing.T) {
	all := kept(t)
	old, today, gone := all[0], all[1], all[2]
	partly := *today
	partly.Unanswered = 40
	for want, reports := range map[string][]*scan.Report{
		"The policy P is kept.": {today, today},
		"The policy P is kept by 1 server; 2 could not be compared.":     {today, gone, gone},
		"The policy P is not kept by 1 server; 1 could not be compared.": {old, today, gone},
		"The policy P is not kept by 1 server.":                          {old, today},
		"The policy P is kept by 2 servers; 1 could not be compared.":    {today, today, &partly},
		"Nothing could be compared with the policy P.":                   {gone, gone},
	} {
		p := Page{Policy: "P"}
		for _, r := range reports {
			s := Server{Report: r}
			if r == old {
				s.Differences = []policy.Difference{{Rule: "versions"}}
			}
			p.Servers = append(p.Servers, s)
		}
		v := viewOf(p)
		if !slices.ContainsFunc(v.Remarks, func(r remark) bool { return r.Text == want }) {
			t.Errorf("%+v, want %q", v.Remarks, want)
		}
	}
}

// What is worst comes first; what mends several servers comes before what mends one.
func TestActions(t *testing.T) {
	report := func(findings ...scan.Finding) Server {
		return Server{Report: &scan.Report{Target: "a:1", Findings: findings}}
	}
	low := scan.Finding{ID: "no-hsts", Severity: scan.Low, Title: "L", Do: "mend l"}
	other := scan.Finding{ID: "tls10", Severity: scan.Low, Title: "O", Do: "mend o"}
	bad := scan.Finding{ID: "heartbleed", Severity: scan.Critical, Title: "B", Do: "mend b"}
	info := scan.Finding{ID: "no-tls13", Severity: scan.Info, Title: "I", Do: "mend i"}
	v := viewOf(Page{Servers: []Server{report(low, info), report(other), report(bad, other)}})
	var got []string
	for _, a := range v.First {
		got = append(got, a.Do)
	}
	if want := []string{"mend b", "mend o", "mend l"}; !slices.Equal(got, want) || v.More != 0 || len(v.First[1].At) != 2 {
		t.Errorf("first is %q, not %q", got, want)
	}
}

// How a change is written is on the page for each setting that is asked for: in the server's
// own program beside the finding, or in all below.
func TestConfigurations(t *testing.T) {
	out := write(t, keptPage(t))
	if strings.Contains(out, "How to write it") {
		t.Error("the page says how other programs are set up")
	}
	if !strings.Contains(out, `<pre data-what="hsts for nginx">add_header Strict-Transport-Security`) {
		t.Error("a finding lacks its configuration")
	}
	r := *kept(t)[0]
	r.Findings = []scan.Finding{{ID: "no-hsts", Severity: scan.Low, Title: "No HSTS", Do: "Send it.", Setting: "hsts"}, {ID: "x", Setting: "no such setting"}}
	out = write(t, Page{Servers: []Server{{Report: &r}}})
	if !strings.Contains(out, `<a href="#set-hsts">`) || !strings.Contains(out, `id="set-hsts"`) || !strings.Contains(out, "hsts for apache") || strings.Contains(out, "#set-no") {
		t.Error("a server of unknown software has no configurations to choose from")
	}
}

// A page of nothing is refused, and what cannot be written is an error.
func TestErrors(t *testing.T) {
	if err := Write(new(bytes.Buffer), Page{}); !errors.Is(err, errEmpty) {
		t.Errorf("a page of nothing: %v", err)
	}
	full := errors.New("no space left")
	if err := Write(failing{full}, keptPage(t)); !errors.Is(err, full) {
		t.Errorf("a full disk: %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

// What a part of a fleet answered is not said of all of it.
func TestFleetsThatAnswerInPart(t *testing.T) {
	one, two := []scan.FleetAnswer{{Value: "no", Times: 3}}, []scan.FleetAnswer{{Value: "no", Times: 2}, {Value: "yes", Times: 1}}
	out := write(t, Page{Servers: []Server{{Report: &scan.Report{Fleet: &scan.FleetReport{Answers: []scan.FleetAnswers{
		{What: "A", Answers: one}, {What: "B", Answers: one, Unanswered: 3}, {What: "C", Answers: two, Unanswered: 3},
	}}}}}})
	for _, want := range []string{
		"<dt>A</dt><dd>the same everywhere</dd>", "<dt>B</dt><dd>the same at all that answered; 3 did not</dd>",
		"<dt>C</dt><dd>no, 2 times; yes, 1 times; 3 did not answer</dd>",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("the page does not have %s", want)
		}
	}
}

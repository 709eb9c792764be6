package flags

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vitrine-tls/vitrine/cmd/vitrine/internal/report"
)

// Send is the flag --send: what is said on a connection.
type Send struct{ value string }

// Register adds the flag to a verb. usual is what is sent without it.
func (f *Send) Register(cmd *cobra.Command, usual string) {
	cmd.Flags().StringVar(&f.value, "send", "",
		"send this `text` (\\r and \\n are line ends), the content of a file (@FILE) or nothing (none) (default: "+usual+")")
}

// escapes are what a text can have that a shell makes hard to type.
var escapes = strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\t`, "\t", `\\`, `\`)

// Load returns what to send, which is empty for none; given is false without the flag.
func (f *Send) Load(cmd *cobra.Command) (content []byte, given bool, err error) {
	if !cmd.Flags().Changed("send") {
		return nil, false, nil
	}
	if f.value == "none" {
		return nil, true, nil
	}
	if f.value == "" {
		return nil, true, report.Usagef("--send has no text; say none to send nothing")
	}
	content, err = textOrFile("send", f.value)
	return content, true, err
}

// textOrFile is what a flag stands for whose value is a text, or @FILE.
func textOrFile(name, value string) ([]byte, error) {
	file, ok := strings.CutPrefix(value, "@")
	if !ok {
		return []byte(escapes.Replace(value)), nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, report.Usagef("--%s: %v", name, err)
	}
	return content, nil
}

// EarlyData is the flag --early-data of a client: what is sent together with the ClientHello.
type EarlyData struct{ value string }

// Register adds the flag to a verb.
func (f *EarlyData) Register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.value, "early-data", "",
		"connect twice, and send this `text` together with the second ClientHello (0-RTT): \\r and \\n are line ends, @FILE is a file's content. Anyone on the path can send it again")
}

// Load returns what to send early; nil without the flag.
func (f *EarlyData) Load(cmd *cobra.Command) ([]byte, error) {
	if !cmd.Flags().Changed("early-data") {
		return nil, nil
	}
	content, err := textOrFile("early-data", f.value)
	if err == nil && len(content) == 0 {
		err = report.Usagef("--early-data has nothing to send; give a text or @FILE")
	}
	return content, err
}

// otherPorts are well-known ports of what is not HTTP.
var otherPorts = map[string]string{
	"25": "SMTP", "465": "SMTP", "587": "SMTP", "2525": "SMTP", "110": "POP3", "995": "POP3", "143": "IMAP", "993": "IMAP",
	"4190": "ManageSieve", "21": "FTP", "989": "FTP", "990": "FTP", "22": "SSH", "23": "Telnet", "992": "Telnet", "119": "NNTP", "563": "NNTP",
	"53": "DNS", "853": "DNS over TLS", "389": "LDAP", "636": "LDAP", "3269": "LDAP", "994": "IRC", "6697": "IRC",
	"5222": "XMPP", "5223": "XMPP", "5269": "XMPP", "5270": "XMPP", "5061": "SIP", "5349": "TURN", "5671": "AMQP", "8883": "MQTT", "6514": "syslog",
	"3306": "MySQL", "5432": "PostgreSQL", "6379": "Redis", "6380": "Redis", "27017": "MongoDB", "1433": "SQL Server", "2484": "Oracle", "9093": "Kafka", "4222": "NATS",
	"3389": "RDP", "2083": "RADIUS", "3868": "Diameter", "5868": "Diameter", "4460": "NTS", "64738": "Mumble", "1194": "OpenVPN",
}

// OtherProtocol names the protocol that a port is for, if it is another one than HTTP;
// empty for all others.
func OtherProtocol(port string) string { return otherPorts[port] }

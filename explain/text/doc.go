// Package text writes the account of a connection, as package explain makes it,
// for people to read in a terminal.
//
//	account := collector.Connection(explain.About{Target: "example.com:443"})
//	text.Write(os.Stdout, account, text.Options{Color: true})
//
// The first screen is the outcome and a ladder: the flights of both sides, a line
// for each message with the few words that matter, double arrows where it was
// encrypted. Below it is every record, message, choice, secret and key in the
// order in which it happened, each byte with its meaning.
//
// What a peer sent is shown with its control characters replaced: a terminal never
// acts on them. An account that was read back from its JSON has the same text.
package text

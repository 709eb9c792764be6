// Package diagnose finds out why a connection failed: which rule was broken, what each
// side offered and where the sets miss, who is at fault, and what mends it.
//
// [Account] concludes from what is known already: the account of a connection, as either
// side made it or as somebody captured it. It sends nothing.
//
//	account := collector.Connection(explain.About{Err: err})
//	verdict := diagnose.Account(account, diagnose.Also{Err: err})
//	fmt.Println(verdict.Sentence, verdict.Advice)
//
// # How it concludes
//
// Facts are gathered once: the hellos, the certificates, the alerts, how the connection
// ended. Then each row of one table looks at them, and says whether its cause fits, and how
// sure that is ([Causes] lists the rows). The first cause that is certain counts, else the
// first that is likely. Where none fits, the verdict says so: its cause is [Unknown], and it
// names what it would take to know more.
//
// Every claim has its evidence, with references into the account: the record, the message,
// the field.
package diagnose

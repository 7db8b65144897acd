package slot

import (
	"fmt"
	"time"
)

// limits bound what a statement may take at the user's server.
type limits struct{ statement, lock time.Duration }

var (
	// changeLimit is of a change of the catalog, which waits behind an ALTER TABLE.
	changeLimit = limits{statement: 20 * time.Second, lock: 5 * time.Second}
	// createLimit is of a slot, which waits for all transactions that are open.
	createLimit = limits{statement: 2 * time.Minute, lock: 2 * time.Minute}
)

// sql sets them for a transaction.
func (l limits) sql() string {
	return fmt.Sprintf("SET LOCAL statement_timeout = %d; SET LOCAL lock_timeout = %d; SET LOCAL idle_in_transaction_session_timeout = 0",
		l.statement.Milliseconds(), l.lock.Milliseconds())
}

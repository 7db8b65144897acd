package slot

import (
	"context"
	"errors"

	"github.com/jackc/pglogrepl"
)

// Ready is what a stream begins with.
type Ready struct {
	Slot, Publication string
	// From is where the stream begins: what was committed last, or where the slot
	// begins where nothing was.
	From pglogrepl.LSN
	// Identity is what Prepare wants to see again at the next start: it is kept in
	// the cursor, beside the LSN.
	Identity []byte
	// Fresh says that nothing is known of what was before From: all rows have to be
	// read. The slot was made just now, or was never read by anybody.
	Fresh bool
	// Gap is why changes behind the committed LSN are lost, as a person is told; ""
	// where none are. Then there is nothing to stream: Renew goes on.
	Gap string

	Table   uint32 // the OID of the table, or of the root of its partitions
	Version int    // of the server, as in server_version_num: 150018
}

// Prepare looks whether the server can tell of changes, makes the publication and
// then the slot where they are ours and no cursor knows them, and takes the slot
// from an older process of the same ledger. identity and committed are of the cursor
// that was committed last; nil says that there is none.
//
// Where there is a Gap, nothing was made and nothing dropped. The error has all that
// is wrong, each with the SQL that mends it.
func (k *Keeper) Prepare(ctx context.Context, identity []byte, committed pglogrepl.LSN) (Ready, error) {
	return Ready{}, errors.ErrUnsupported
}

// Renew drops the slot where it is ours, makes it anew behind its publication, and
// gives a Ready that is Fresh: what was to be told before is given up. Of somebody
// else's slot what it still has to tell is kept; one that can't go on is an error
// with the SQL by which its owner makes it anew.
func (k *Keeper) Renew(ctx context.Context) (Ready, error) {
	return Ready{}, errors.ErrUnsupported
}

package chrome

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/pictifyd/pictifyd/internal/problem"
)

const (
	// ownUser is who Chrome runs as under a daemon that is root, where it exists.
	ownUser = "pictifyd"
	// ownID is the user and group id otherwise. It is nobody's: "nobody" itself
	// is shared with other services, which could then trace Chrome.
	ownID = 65533
)

// An account is whom Chrome runs as. Its zero value is the daemon's own user.
type account struct {
	switched bool
	uid, gid uint32
}

// accountFor reads Config.User, which only root can follow: Chrome's sandbox
// does not work for root.
func accountFor(name string) (account, error) {
	if os.Getuid() != 0 {
		return account{}, nil
	}
	if name == "" || name == auto {
		if a, err := lookupAccount(ownUser); err == nil {
			return a, nil
		}
		return account{switched: true, uid: ownID, gid: ownID}, nil
	}
	a, err := lookupAccount(name)
	if err != nil {
		return account{}, problem.New(problem.Surroundings, "no user %q to run Chrome as: %w", name, err).
			At("render.user").WithHint("create it, or set render.user to auto")
	}
	if a.uid == 0 {
		return account{}, problem.New(problem.Invalid, "Chrome's sandbox does not work as root").
			At("render.user").WithHint("name an unprivileged user, or auto")
	}
	return a, nil
}

func lookupAccount(name string) (account, error) {
	if id, err := strconv.ParseUint(name, 10, 32); err == nil {
		return account{switched: true, uid: uint32(id), gid: uint32(id)}, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return account{}, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("user id %q: %w", u.Uid, err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return account{}, fmt.Errorf("group id %q: %w", u.Gid, err)
	}
	return account{switched: true, uid: uint32(uid), gid: uint32(gid)}, nil
}

// credential is what the kernel is told at the start of a process. No
// supplementary group of the daemon's goes along.
func (a account) credential() *syscall.Credential {
	if !a.switched {
		return nil
	}
	return &syscall.Credential{Uid: a.uid, Gid: a.gid, Groups: []uint32{}}
}

// give makes path the account's own.
func (a account) give(path string) error {
	if !a.switched {
		return nil
	}
	return os.Chown(path, int(a.uid), int(a.gid))
}

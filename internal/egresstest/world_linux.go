package egresstest

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// inside says to a test that it runs in a world of its own.
const inside = "PICTIFYD_TEST_INSIDE"

// Enter runs the calling test once more in a process that is in such a world,
// and returns its canary there. To the caller outside it returns nil when that
// process is done, and the test fails as it did.
func Enter(t *testing.T) *Canary {
	t.Helper()
	if os.Getenv(inside) == t.Name() {
		if err := openWorld(); err != nil {
			t.Fatalf("make a world: %v", err)
		}
		return newCanary(t)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"="+t.Name())
	cmd.SysProcAttr = ownNetwork()
	out, err := cmd.CombinedOutput()
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		if os.Getenv("PICTIFYD_TEST_ALL") != "" {
			t.Fatalf("make a network namespace: %v", err)
		}
		t.Skipf("this machine lets nobody make a network namespace: %v", err)
	}
	switch {
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skipf("%s", out)
	case !strings.Contains(string(out), "--- PASS: "+t.Name()):
		t.Errorf("it did not run:\n%s", out)
	default:
		t.Logf("%s", out)
	}
	return nil
}

// ownNetwork is for a process in a network namespace, in which it may do what
// Enter needs. Whoever is not root needs a user namespace around it.
func ownNetwork() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: gid, Size: 1}}
		attr.AmbientCaps = []uintptr{unix.CAP_NET_ADMIN, unix.CAP_NET_BIND_SERVICE}
	}
	return attr
}

// openWorld makes every address local. There is a second interface, as on any
// machine: WebRTC does not count the loopback one.
func openWorld() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return fmt.Errorf("bring up lo: %w", err)
	}
	outside := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "outside"}, PeerName: "faraway"}
	if err := netlink.LinkAdd(outside); err != nil {
		return fmt.Errorf("make an interface: %w", err)
	}
	address, err := netlink.ParseAddr("192.0.2.7/24")
	if err != nil {
		return err
	}
	if err := netlink.AddrAdd(outside, address); err != nil {
		return fmt.Errorf("give an interface an address: %w", err)
	}
	for _, name := range []string{"outside", "faraway"} {
		link, err := netlink.LinkByName(name)
		if err != nil {
			return err
		}
		if err := netlink.LinkSetUp(link); err != nil {
			return fmt.Errorf("bring up %s: %w", name, err)
		}
	}
	for _, all := range []string{"0.0.0.0/0", "::/0"} {
		_, every, err := net.ParseCIDR(all)
		if err != nil {
			return err
		}
		route := &netlink.Route{LinkIndex: lo.Attrs().Index, Dst: every, Table: unix.RT_TABLE_LOCAL, Type: unix.RTN_LOCAL, Scope: netlink.SCOPE_HOST}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("make %s local: %w", all, err)
		}
	}
	return nil
}

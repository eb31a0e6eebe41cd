package main

import (
	"context"
	"encoding/json"
	"os"
	"path"
	"sync"
	"time"

	"github.com/siderolabs/talos/pkg/machinery/api/machine"
	"github.com/siderolabs/talos/pkg/machinery/role"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// journal keeps every changing call that reached a node, so that tests can count them.
type journal struct {
	path string
	mu   sync.Mutex
}

type call struct {
	Time    time.Time      `json:"time"`
	Node    string         `json:"node"`
	Method  string         `json:"method"`
	Code    string         `json:"code"`
	Message string         `json:"message,omitempty"`
	Details map[string]any `json:"details,omitempty"`
}

func (j *journal) add(c call) {
	if j.path == "" {
		return
	}
	line, err := json.Marshal(c)
	must(err)
	j.mu.Lock()
	defer j.mu.Unlock()
	f, err := os.OpenFile(j.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	must(err)
	defer f.Close()
	_, err = f.Write(append(line, '\n'))
	must(err)
}

// reading are the methods that change nothing and that any role may call.
var reading = map[string]bool{
	"Version": true, "ServiceList": true, "EtcdMemberList": true, "EtcdStatus": true, "EtcdAlarmList": true,
	"SystemStat": true, "Hostname": true, "Memory": true, "Mounts": true, "List": true, "Events": true,
}

// secret are those that only an administrator may call, and that are no changing calls by themselves.
var secret = map[string]bool{"Kubeconfig": true, "Read": true, "Copy": true, "EtcdSnapshot": true, "EtcdRecover": true}

// unary authorizes a call and, if it is a changing one, writes it down with its outcome.
func (n *node) unary(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	method := path.Base(info.FullMethod)
	if path.Dir(info.FullMethod) != "/machine.MachineService" || reading[method] {
		return handle(ctx, request)
	}
	var response any
	err := n.authorize(ctx, method)
	if err == nil {
		response, err = handle(ctx, request)
	}
	if !secret[method] {
		n.c.calls.add(call{
			Time: time.Now().UTC(), Node: n.name, Method: method, Code: status.Code(err).String(),
			Message: status.Convert(err).Message(), Details: details(request),
		})
	}
	return response, err
}

func (n *node) stream(server any, s grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) error {
	if method := path.Base(info.FullMethod); secret[method] {
		if err := n.authorize(s.Context(), method); err != nil {
			return err
		}
	}
	return handle(server, s)
}

func (n *node) authorize(ctx context.Context, method string) error {
	n.c.mu.Lock()
	defer n.c.mu.Unlock()
	if n.phase != maintenance {
		if !isAdmin(ctx) {
			return status.Error(codes.PermissionDenied, "not authorized")
		}
		return nil
	}
	switch method {
	case "ApplyConfiguration":
		return nil
	case "Reset", "Upgrade", "MetaWrite", "MetaDelete":
		return status.Error(codes.Unimplemented, "API is not implemented in maintenance mode")
	default:
		return status.Errorf(codes.Unimplemented, "method %s not implemented", method)
	}
}

func isAdmin(ctx context.Context) bool {
	md, _ := metadata.FromIncomingContext(ctx)
	roles, _ := role.Parse(md.Get(roleKey))
	return roles.Includes(role.Admin)
}

func details(request any) map[string]any {
	switch r := request.(type) {
	case *machine.ApplyConfigurationRequest:
		return map[string]any{"mode": r.Mode.String(), "dry_run": r.DryRun}
	case *machine.BootstrapRequest:
		return map[string]any{"recover_etcd": r.RecoverEtcd, "skip_hash_check": r.RecoverSkipHashCheck}
	case *machine.EtcdRemoveMemberByIDRequest:
		return map[string]any{"member": r.MemberId}
	case *machine.ResetRequest:
		labels := []string{}
		for _, p := range r.SystemPartitionsToWipe {
			labels = append(labels, p.Label)
		}
		return map[string]any{"partitions": labels, "graceful": r.Graceful, "reboot": r.Reboot}
	default:
		return nil
	}
}

#!/usr/bin/env python3
"""A domain's DNS records against what its zone's own name server answers: nothing, wrong ones, right ones."""
import json
import os
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from internet import Internet                                            # noqa: E402
from server import Server                                                # noqa: E402

HOST = "mail.remote.test"
WRONG = f"""@ MX 10 mx.elsewhere.test.
@ TXT "v=spf1 mx -all"
@ TXT "v=spf1 ip4:192.0.2.1 -all"
_dmarc TXT "v=DMARC1; rua=mailto:x@remote.test"
mail A 127.0.0.1
"""
OPTIONAL = {p: "optional" for p in ("submissions", "imaps", "pop3s", "autoconfig", "autodiscover")}
HEAD = "$ORIGIN remote.test.\n$TTL 60\n@ SOA ns hostmaster {} 3600 600 86400 5\n@ NS ns\nns A 127.0.0.1\n"


def states(dns):
    return {r["purpose"]: r["state"] for r in dns["records"]}


def check(server, domain, *more):
    done = server.ctl("domain", "check", domain, "--json", *more, check=False)
    return done.returncode, json.loads(done.stdout) if done.stdout else None


def main():
    with Internet(WRONG, further=[("127.in-addr.arpa", f"1.0.0 PTR {HOST}.\n"), ("shop.test", "")]) as net, \
            Server(env=net.env(CORREIO_DNS_PORT=str(net.dns_port), CORREIO_SERVER_HOSTNAME=HOST)) as server:
        for domain in ("remote.test", "shop.test", "lost.nowhere.test"):
            server.domain(domain)

        @case("before anybody looked all is unknown, and the zone text is there to copy")
        def _():
            same(server.ctl("domain", "zone", "shop.test").stdout.splitlines()[:2],
                 [f"shop.test. 3600 IN MX 10 {HOST}.", 'shop.test. 3600 IN TXT "v=spf1 mx -all"'])
            same([line for line in server.ctl("domain", "zone", "shop.test").stdout.splitlines() if " SRV " in line],
                 [f"_submissions._tcp.shop.test. 3600 IN SRV 0 1 {server.port('SMTPS')} {HOST}.",
                  f"_imaps._tcp.shop.test. 3600 IN SRV 0 1 {server.port('IMAPS')} {HOST}.",
                  f"_pop3s._tcp.shop.test. 3600 IN SRV 10 1 {server.port('POP3S')} {HOST}."])

        @case("an empty zone: what lacks is missing, what is of the host is found, and exit status 9 says so")
        def _():
            status, dns = check(server, "shop.test")
            same(status, 9)
            same(dns["servers"], ["ns.remote.test"])
            same(states(dns), {"mx": "missing", "host": "found", "ptr": "found", "spf": "missing", "dmarc": "missing", **OPTIONAL})
            same((dns["right"], dns["wanted"]), (2, 5))

        @case("wrong records: another MX, two SPF, a DMARC without policy")
        def _():
            dns = check(server, "remote.test")[1]
            same(states(dns), {"mx": "different", "host": "found", "ptr": "found", "spf": "different", "dmarc": "different",
                               **OPTIONAL})
            same([r["found"] for r in dns["records"]][0], ["10 mx.elsewhere.test"])

        @case("no zone, no answer: unknown or missing, and the next request is served")
        def _():
            status, dns = check(server, "lost.nowhere.test")
            same(status, 9)
            assert states(dns)["mx"] in ("unknown", "missing"), dns

        @case("check --wait: goes on until the zone is right")
        def _():
            with open(f"{net.dir}/remote.test.zone", "w") as f:
                f.write(HEAD.format(2) + "@ MX 20 mail\n@ TXT \"v=spf1 \" \"mx -all\"\n_dmarc TXT \"v=DMARC1; p=reject\"\nmail A 127.0.0.1\n"
                        f"autoconfig CNAME mail\n_imaps._tcp SRV 5 0 {server.port('IMAPS')} mail\n_pop3s._tcp SRV 0 0 0 .\n")
            reload = threading.Timer(1, lambda: subprocess.run(["knotc", "-c", f"{net.dir}/knot.conf", "zone-reload", "remote.test"],
                                                               check=True, capture_output=True))
            reload.start()
            status, dns = check(server, "remote.test", "--wait")
            reload.join()
            same(status, 0)
            same(states(dns), {"mx": "found", "host": "found", "ptr": "found", "spf": "found", "dmarc": "found",
                               **OPTIONAL, "imaps": "found", "autoconfig": "found"})

        harness.run()


main()

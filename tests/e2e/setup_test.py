#!/usr/bin/env python3
"""What mail programs are told to set themselves up, read by parsers of XML and property lists: with all protocols, with some,
and with names that are markup."""
import json
import os
import plistlib
import sys
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import harness                                                           # noqa: E402
from harness import case, same                                           # noqa: E402
from server import Server                                                # noqa: E402

ALICE, PASSWORD = "alice@example.test", "secret"
NAME = "</string><key>x</key>&<!--\"'\u00e9"
HOST = "mail.example.test"
REQUEST = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006}"
RESPONSE = "{http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a}"


def ask(server, path, body=None, headers={}):
    """(status, headers, bytes)"""
    request = urllib.request.Request(server.endpoints["HTTP_URL"] + path, data=body, headers=headers)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


def autoconfig(server):
    """[(direction, type, host, port, socket)]"""
    status, _, text = ask(server, f"/mail/config-v1.1.xml?emailaddress={ALICE}")
    same(status, 200)
    root = ET.fromstring(text)
    same((root.tag, root.get("version")), ("clientConfig", "1.1"))
    return [(e.tag, e.get("type"), e.findtext("hostname"), int(e.findtext("port")), e.findtext("socketType"))
            for e in root.find("emailProvider") if e.tag.endswith("Server")]


def autodiscover(server, address=ALICE):
    """[(type, server, port, encryption, login)], or the status of a refusal."""
    root = ET.Element(REQUEST + "Autodiscover")
    ET.SubElement(ET.SubElement(root, REQUEST + "Request"), REQUEST + "EMailAddress").text = address
    ET.register_namespace("", REQUEST[1:-1])
    status, _, text = ask(server, "/autodiscover/autodiscover.xml", ET.tostring(root, encoding="utf-8", xml_declaration=True),
                          {"Content-Type": "text/xml"})
    if status != 200:
        return status
    return [tuple(p.findtext(RESPONSE + name) for name in ("Type", "Server", "Port", "Encryption", "LoginName"))
            for p in ET.fromstring(text).iter(RESPONSE + "Protocol")]


def sign_in(server):
    """The cookie of Alice's session."""
    status, headers, text = ask(server, "/api/v1/session", json.dumps({"address": ALICE, "password": PASSWORD}).encode(),
                                {"Content-Type": "application/json", "Origin": server.endpoints["HTTP_URL"]})
    same((status, text if status != 200 else b""), (200, b""))
    return {"Cookie": headers["Set-Cookie"].split(";")[0]}


def profile(server, headers):
    return ask(server, "/api/v1/me/apple-profile", headers=headers)


def all_protocols(server):
    port = server.port
    server.accounts(["alice"], password=PASSWORD)
    server.ctl("account", "set", ALICE, "--name", NAME)

    @case("autoconfig: every protocol, TLS first")
    def _():
        same(autoconfig(server), [("incomingServer", "imap", HOST, port("IMAPS"), "SSL"), ("incomingServer", "imap", HOST, port("IMAP"), "STARTTLS"),
                                  ("incomingServer", "pop3", HOST, port("POP3S"), "SSL"), ("incomingServer", "pop3", HOST, port("POP3"), "STARTTLS"),
                                  ("outgoingServer", "smtp", HOST, port("SMTPS"), "SSL"), ("outgoingServer", "smtp", HOST, port("SUBMISSION"), "STARTTLS")])

    @case("Autodiscover: the same; an address that is markup is text again")
    def _():
        same([p[:4] for p in autodiscover(server)],
             [("IMAP", HOST, str(port("IMAPS")), "SSL"), ("IMAP", HOST, str(port("IMAP")), "TLS"), ("POP3", HOST, str(port("POP3S")), "SSL"),
              ("POP3", HOST, str(port("POP3")), "TLS"), ("SMTP", HOST, str(port("SMTPS")), "SSL"), ("SMTP", HOST, str(port("SUBMISSION")), "TLS")])
        odd = "\"'\u00e9]]@example.test"
        same({p[4] for p in autodiscover(server, odd)}, {odd})
        same(autodiscover(server, "a&b@example.test"), 400)

    @case("profile: a property list with the person's name, whatever it is")
    def _():
        status, headers, text = profile(server, sign_in(server))
        same((status, headers["Content-Type"]), (200, "application/x-apple-aspen-config"))
        whole = plistlib.loads(text)
        same((whole["PayloadType"], whole["PayloadVersion"], len(whole["PayloadContent"])), ("Configuration", 1, 1))
        mail = whole["PayloadContent"][0]
        assert mail["PayloadUUID"] != whole["PayloadUUID"]
        same({k: v for k, v in mail.items() if not k.startswith("Payload")},
             {"EmailAccountDescription": ALICE, "EmailAccountName": NAME, "EmailAccountType": "EmailTypeIMAP", "EmailAddress": ALICE,
              "IncomingMailServerHostName": HOST, "IncomingMailServerPortNumber": port("IMAPS"), "IncomingMailServerUseSSL": True,
              "IncomingMailServerUsername": ALICE, "IncomingMailServerAuthentication": "EmailAuthPassword",
              "OutgoingMailServerHostName": HOST, "OutgoingMailServerPortNumber": port("SMTPS"), "OutgoingMailServerUseSSL": True,
              "OutgoingMailServerUsername": ALICE, "OutgoingMailServerAuthentication": "EmailAuthPassword",
              "OutgoingPasswordSameAsIncomingPassword": True})


def some_protocols(server):
    server.accounts(["alice"], password=PASSWORD)

    @case("what does not listen is not named, and without a way to send there is no profile")
    def _():
        same([s[:2] + s[4:] for s in autoconfig(server)], [("incomingServer", "pop3", "SSL")])
        same([p[0] for p in autodiscover(server)], ["POP3"])
        same(profile(server, sign_in(server))[0], 404)


def main():
    off = {f"CORREIO_LISTEN_{name}": "off" for name in ("IMAP", "IMAPS", "POP3", "SUBMISSION", "SMTPS")}
    host = {"CORREIO_SERVER_HOSTNAME": HOST}
    with Server(env=host) as one, Server(env={**host, **off}) as other:
        all_protocols(one)
        some_protocols(other)
        harness.run()


main()

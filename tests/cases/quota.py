# SPDX-License-Identifier: GPL-2.0-or-later
"""RFC 6888: one host cannot starve the others; full means refuse."""
from gateway import ADDRESS_DEPENDENT, ENDPOINT_INDEPENDENT, LAN0, WAN
from packets import A, B, C, E, S, T, ping, quick, tcp, udp
from rows import case


@case
def sessions(g):
    """REQ-4: as many sessions as one host may have; other hosts are not concerned"""
    g.config(sessions_per_host=3)
    for port in (53, 54, 55):
        g.lan(udp(A, 4000, S, port), sent=udp(E, 4000, S, port))
    g.lan(udp(A, 4000, S, 56), punt="host_sessions")
    g.lan(tcp(A, 4000, S, 56), drop="host_sessions")
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(B, 4002, S, 56), sent=udp(E, 4002, S, 56))


@case
def mappings(g):
    """REQ-4: as many ports as one host may hold; sessions of the ones it has still begin"""
    g.config(mappings_per_host=2)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(tcp(A, 4000, S, 53), sent=tcp(E, 4000, S, 53))
    g.lan(udp(A, 4002, S, 53), punt="host_mappings")
    g.lan(ping(A, S, 7), drop="host_mappings")
    g.lan(udp(A, 4000, T, 53), sent=udp(E, 4000, T, 53))
    g.lan(udp(B, 4002, S, 53), sent=udp(E, 4002, S, 53))


@case
def rate(g):
    """REQ-4: new sessions a second; what has begun goes on, the next second brings more"""
    g.config(new_per_second=5, hz=100000)  # so slow a clock that the case itself takes no time
    for port in range(5):
        g.lan(udp(A, 4000, S, 53 + port), sent=udp(E, 4000, S, 53 + port))
    g.lan(udp(A, 4000, S, 60), punt="host_rate")
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    g.lan(udp(B, 4002, S, 60), sent=udp(E, 4002, S, 60))
    g.at(101)
    for port in range(60, 65):
        g.lan(udp(A, 4000, S, port), sent=udp(E, 4000, S, port))
    g.lan(udp(A, 4000, S, 65), punt="host_rate")


@case
def rate_refills_partly(g):
    """REQ-4: a fifth of a second brings a fifth"""
    g.config(new_per_second=5, hz=100000)
    for port in range(5):
        g.lan(udp(A, 4000, S, 53 + port), sent=udp(E, 4000, S, 53 + port))
    g.at(21)
    g.lan(udp(A, 4000, S, 60), sent=udp(E, 4000, S, 60))
    g.lan(udp(A, 4000, S, 61), punt="host_rate")


@case
def rate_from_outside(g):
    """REQ-4: what the WAN opens through a forward has a rate of its own for each remote"""
    g.config(new_per_second=2, hz=100000)
    g.forward(17, 80, A, 8080)
    g.wan(udp(S, 1, E, 80), sent=udp(S, 1, A, 8080))
    g.wan(udp(S, 2, E, 80), sent=udp(S, 2, A, 8080))
    g.wan(udp(S, 3, E, 80), drop="remote_rate")
    g.wan(udp(T, 3, E, 80), sent=udp(T, 3, A, 8080))
    for port in (53, 54):
        g.lan(udp(A, 4000, S, port), sent=udp(E, 4000, S, port))


@case
def table_full(g):
    """REQ-11: a full table refuses what is new and keeps what is there"""
    g.config(set_mask=3)  # 32 records
    kept, refused = [], 0
    for port in range(64):
        answer = g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(udp(A, 4000, S, 1000 + port)))
        if answer.verdict == "forward":
            kept.append(1000 + port)
        else:
            assert "table_full" in answer.counters, answer
            refused += 1
    assert len(kept) >= 8 and refused, (len(kept), refused)
    for port in kept:
        g.lan(udp(A, 4000, S, port), sent=udp(E, 4000, S, port))
        g.wan(udp(S, port, E, 4000), sent=udp(S, port, A, 4000))


@case
def table_full_leaves_nothing(g):
    """REQ-11: a refused session leaves no half behind"""
    g.config(set_mask=3)
    for port in range(64):
        g.run("inside", 11, bytes(12) + b"\x08\0" + bytes(udp(A, 4000, S, 1000 + port)))
    assert len(g.records("orig")) == len(g.records("reply"))


@case
def other_hosts_in_a_full_gateway(g):
    """REQ-4: one host that takes all it may leaves ports and sessions to the others"""
    g.config(sessions_per_host=100, mappings_per_host=100)
    refused = sum(g.quick(quick(A, 2000 + n, S, 53))[0].verdict != "forward" for n in range(1000))
    assert refused == 900, refused
    for n in range(100):
        g.lan(udp(B, 4000 + n, S, 53), sent=udp(E, 4000 + n, S, 53))


@case
def limit_of_all_sessions(g):
    """REQ-5: as many sessions as the gateway may have in all; running ones go on, REQ-11d"""
    g.config(sessions_limit=3)
    for port in (53, 54, 55):
        g.lan(udp(A, 4000, S, port), sent=udp(E, 4000, S, port))
    g.lan(udp(B, 4002, S, 56), punt="table_full")
    for port in (53, 54, 55):
        g.wan(udp(S, port, E, 4000), sent=udp(S, port, A, 4000))


@case
def refusals_are_told(g):
    """REQ-11b, RFC 5508 REQ-8: who is refused for want of room is told, once a second, whatever is refused to others"""
    g.config(sessions_per_host=0, hz=100000)
    for second in (0, 101):  # so slow a clock that the case itself takes no time
        g.at(second)
        for host in (A, B):
            g.lan(udp(host, 4000, S, 53), punt="host_sessions")
            for _ in range(3):
                g.lan(udp(host, 4000, S, 53), drop="host_sessions")
                g.lan(tcp(host, 4000, S, 53), drop="host_sessions")


@case
def refusals_of_the_wan_are_silent(g):
    """RFC 5508 REQ-9: nobody outside is told"""
    g.config(sessions_limit=3)
    g.forward(17, 80, A, 8080)
    g.wan(udp(S, 1, E, 80), drop="inbound_sessions")


@case
def ports_are_used_up(g):
    """REQ-13: of the 511 even ports below 1024 nine tenths are given before one is refused"""
    g.config(mappings_per_host=60000, sessions_per_host=60000)
    given = set()
    for n in range(505):
        for host in (A, B):
            answer, port = g.quick(quick(host, 2 + 2 * n, S, 53))
            if answer.verdict != "forward":
                assert "ports_exhausted" in answer.counters, answer
                assert len(given) >= 460, len(given)
                return
            assert port not in given
            given.add(port)
    raise AssertionError("more even ports than there are below 1024")


@case
def refused_then_accepted(g):
    """A refusal is not remembered"""
    g.config(sessions_per_host=0)
    g.lan(udp(A, 4000, S, 53), punt="host_sessions")
    g.config(sessions_per_host=1)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))


@case
def ports_exhausted(g):
    """RFC 4787 REQ-3: no port is left of this kind: refused, none is shared"""
    for port in range(2, 1024, 2):
        g.insert("mapping_external", protocol=17, id_type=1, local=E, local_id=port, new_local=B, new_id=port)
    g.lan(udp(A, 600, S, 53), punt="ports_exhausted")
    g.lan(udp(A, 601, S, 53), sent=udp(E, 601, S, 53))
    g.lan(tcp(A, 600, S, 53), sent=tcp(E, 600, S, 53))


# --- what remotes begin: core/remote.h ------------------------------------------------------------------------------------


def known(g):
    """A has been there for more than ten minutes."""
    g.lan(udp(A, 4000, S, 9), sent=udp(E, 4000, S, 9))
    g.at(601)


def begun(g, count, remote=S, port=4000, first=20000):
    """How many of `count` sessions from ports of `remote` to our `port` pass; the reasons of the others."""
    answers = [g.quick(quick(remote, first + n, E, port), "outside", WAN)[0] for n in range(count)]
    refused = [a for a in answers if a.verdict != "forward"]
    return count - len(refused), {reason for a in refused for reason in a.counters}


@case
def a_server_opens_sessions(g):
    """REQ-4: who was contacted once opens some sessions from other ports, at no cost of the host's quota"""
    g.config(sessions_per_host=10, filtering_udp=ADDRESS_DEPENDENT)
    for remote in (S, T):
        g.lan(udp(A, 4000, remote, 53), sent=udp(E, 4000, remote, 53))
    assert begun(g, 300) == (64, {"remote_sessions"})
    assert begun(g, 5, remote=T) == (5, set())
    for port in range(80, 88):
        g.lan(udp(A, 4002, S, port), sent=udp(E, 4002, S, port))
    g.lan(udp(A, 4002, S, 90), punt="host_sessions")
    (host,) = g.records("host")
    (mapping,) = g.records("mapping_external", local_id=4000)
    assert (host["sessions"], mapping["inbound"]) == (10, 69), (host, mapping)


@case
def remotes_share_a_forward(g):
    """REQ-4, REQ-5: one remote gets a part of a forward, a forward a part of what begins outside, and inside half is left"""
    g.config(sessions_limit=320)
    known(g)
    for port in (80, 81, 82):
        g.forward(17, port, A, port)
    assert begun(g, 100, S, 80) == (20, {"remote_sessions"})
    many = ["203.0.113.%d" % n for n in range(100, 200)]
    assert sum(begun(g, 1, remote, 80)[0] for remote in many) == 60
    assert begun(g, 1, many[99], 80) == (0, {"inbound_sessions"})
    assert sum(begun(g, 1, remote, 81)[0] for remote in many) == 80
    assert begun(g, 1, many[99], 82) == (0, {"inbound_sessions"})
    for port in range(159):
        assert g.quick(quick(A, 4000, T, 1000 + port))[0].verdict == "forward", port


@case
def strangers_leave_room_for_forwards(g):
    """REQ-5: with endpoint-independent filtering anybody opens sessions; a quarter of all is left for port forwards"""
    g.config(sessions_limit=320, filtering_udp=ENDPOINT_INDEPENDENT)
    g.forward(17, 80, A, 80)
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    many = ["203.0.113.%d" % n for n in range(100, 200)]
    assert sum(begun(g, 1, remote)[0] for remote in many) == 80
    assert begun(g, 1, many[99]) == (0, {"inbound_sessions"})
    assert begun(g, 1, many[99], 80) == (1, set())


@case
def a_neighbour_at_a_forward(g):
    """A hairpinned session is of its sender's quota; all senders have our own address there"""
    g.forward(17, 80, A, 8080)
    for port in range(100):
        assert g.quick(quick(B, 2000 + port, E, 80))[0].verdict == "forward"
    (sender,) = g.records("host", local=B)
    assert sender["sessions"] == 100 and not g.records("remote"), sender


# --- who is behind an address: core/station.h -----------------------------------------------------------------------------
# Of 10.0.0.0/24 the kernel has resolved a few: A, B, C. The others are what a host invents.


def flows(g, source, count, first=20000, service=6881):
    """How many of `count` flows of `source` pass, each from a port of its own; the reasons of the others."""
    answers = [g.quick(quick(source, first + n, S, service))[0] for n in range(count)]
    refused = [a for a in answers if a.verdict != "forward"]
    return count - len(refused), {reason for a in refused for reason in a.counters}


@case
def invented_addresses(g):
    """REQ-4: addresses without an ARP entry have one host's mappings together, and others theirs"""
    g.config(mappings_per_host=100)
    passed = [flows(g, "10.0.0.%d" % (100 + n), 20) for n in range(20)]
    assert sum(count for count, _ in passed) == 100, passed
    assert passed[19] == (0, {"station_limit"}), passed
    assert flows(g, A, 100) == (100, set())


@case
def invented_addresses_open_sessions(g):
    """REQ-4: and one host's sessions"""
    g.config(sessions_per_host=100)
    assert sum(flows(g, "10.0.0.%d" % (100 + n), 20)[0] for n in range(20)) == 100
    assert flows(g, A, 100) == (100, set())


@case
def invented_addresses_are_quick(g):
    """REQ-4: and one host's rate, in the next second too"""
    g.config(new_per_second=100, hz=100000)  # so slow a clock that the case itself takes no time
    for second in range(2):
        g.at(101 * second)
        passed = sum(flows(g, "10.0.0.%d" % (100 + n), 20, 20000 + 100 * second)[0] for n in range(20))
        assert passed == 100, (second, passed)
        assert flows(g, A, 100, 20000 + 100 * second) == (100, set())


@case(only=("memory",))
def invented_neighbours(g):
    """1,500 addresses of a large LAN do not use up the next hops"""
    g.detours.append("10.64.0.0/10")
    g.process.ask("route", "10.64.0.0", 10, LAN0, "0.0.0.0", "52:54:00:00:00:0b", "00:00:00:00:00:00")
    passed = sum(flows(g, "10.64.%d.%d" % divmod(n, 250), 1)[0] for n in range(1500))
    (station,) = g.records("station")
    assert passed == station["neighbours"] == 1024, (passed, station)
    assert flows(g, A, 5) == (5, set())


@case(only=("memory",))
def addresses_of_one_mac(g):
    """REQ-4: what answers for many addresses has four hosts' mappings, more if they are said to be a routed subnet"""
    hosts = ["10.0.0.%d" % (200 + n) for n in range(10)]
    for host in hosts:
        g.detours.append(host)
        g.process.ask("route", host, 32, LAN0, "0.0.0.0", "52:54:00:00:00:0b", "52:54:00:00:00:66")
    g.config(mappings_per_host=10)
    passed = [flows(g, host, 10) for host in hosts]
    assert passed == [(10, set())] * 4 + [(0, {"station_limit"})] * 6, passed
    assert flows(g, A, 10) == (10, set())
    g.config(routed_address="10.0.0.200", routed_mask="255.255.255.248")
    assert flows(g, hosts[5], 10) == (10, set())
    assert flows(g, hosts[9], 10) == (0, {"station_limit"})


@case
def behind_a_router(g):
    """REQ-4: hosts behind a router have its MAC address and their own quotas"""
    g.detour("10.9.0.0/16", LAN0, C)
    g.config(mappings_per_host=2)
    for n in range(300):
        assert flows(g, "10.9.1.%d" % n if n < 250 else "10.9.2.%d" % (n - 200), 2) == (2, set()), n
    assert flows(g, "10.9.1.1", 1, 30000) == (0, {"host_mappings"})


@case
def newcomers_leave_the_last_quarter(g):
    """REQ-4: when it gets scarce, what is left is for devices that have been there for ten minutes"""
    g.config(sessions_limit=40)
    known(g)
    assert flows(g, B, 40) == (29, {"newcomers_limit"})
    assert flows(g, "10.0.0.100", 1) == (0, {"newcomers_limit"})
    passed = flows(g, A, 11)
    assert passed == (10, {"mapping_created", "table_full"}), passed


@case
def stations_are_counted(g):
    """What a host has counts for its station too"""
    assert flows(g, "10.0.0.100", 3) == (3, set())
    (station,) = g.records("station")
    assert (station["sessions"], station["mappings"], station["hosts"]) == (3, 3, 1), station
    assert flows(g, A, 2) == (2, set())
    assert len(g.records("station")) == 2


@case
def a_hit_asks_no_station(g):
    """REQ-4 is for what begins: nothing is looked up or counted for a packet of a session, and nothing refuses it"""
    g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
    before = g.records("station"), g.records("host")
    g.config(sessions_per_host=0, mappings_per_host=0, new_per_second=0, sessions_limit=1)
    g.at(5)
    for _ in range(20):
        g.lan(udp(A, 4000, S, 53), sent=udp(E, 4000, S, 53))
        g.wan(udp(S, 53, E, 4000), sent=udp(S, 53, A, 4000))
    assert (g.records("station"), g.records("host")) == before
    g.lan(udp(A, 4000, S, 54), punt="host_sessions")


# --- questions: core/question.h; RFC 4787 REQ-5a ------------------------------------------------------------------------


def ask(g, port, server=S, service=53):
    """The verdict of one question from a port of its own."""
    return g.quick(quick(A, port, server, service))[0]


@case
def resolver_and_vpn(g):
    """RFC 4787 REQ-5a: 20 DNS questions a second, each from a port of its own, for 5 minutes; then the host dials its VPN"""
    for n in range(6000):
        g.at(n / 20)
        answer = ask(g, 1024 + (n * 7) % 60000)
        assert answer.verdict == "forward", (n, answer)
    g.lan(udp(A, 500, T, 500), sent=udp(E, 500, T, 500))


@case
def question_answered(g):
    """RFC 4787 REQ-5a: at need an exchange that is over gives way, some seconds after its answer, never before"""
    g.config(mappings_per_host=2)
    for port in (2000, 2002):
        g.lan(udp(A, port, S, 53), sent=udp(E, port, S, 53))
    g.at(1)
    g.wan(udp(S, 53, E, 2000), sent=udp(S, 53, A, 2000))
    g.at(5)
    g.lan(udp(A, 2004, S, 53), punt="host_mappings")
    g.at(7)
    g.lan(udp(A, 2004, S, 53), sent=udp(E, 2004, S, 53))
    g.wan(udp(S, 53, E, 2000), drop="unsolicited")
    g.wan(udp(S, 53, E, 2002), sent=udp(S, 53, A, 2002))
    (host,) = g.records("host")
    assert (host["mappings"], host["sessions"]) == (2, 2), host


@case
def question_not_answered(g):
    """RFC 4787 REQ-5a: one without an answer waits for it for 30 s, counted from when it was last asked"""
    g.config(mappings_per_host=1)
    g.lan(udp(A, 2000, S, 53), sent=udp(E, 2000, S, 53))
    g.at(20)
    g.lan(udp(A, 2000, S, 53), sent=udp(E, 2000, S, 53))
    g.at(49)
    g.lan(udp(A, 2002, S, 53), punt="host_mappings")
    g.wan(udp(S, 53, E, 2000), sent=udp(S, 53, A, 2000))
    g.lan(udp(A, 2000, S, 53), sent=udp(E, 2000, S, 53))  # a second question behind the answer
    g.at(78)
    g.lan(udp(A, 2002, S, 53), punt="host_mappings")
    g.at(80)
    g.lan(udp(A, 2002, S, 53), sent=udp(E, 2002, S, 53))


@case
def question_with_room(g):
    """RFC 4787 REQ-5: with mappings to spare a question has the timer that all have"""
    g.lan(udp(A, 2000, S, 53), sent=udp(E, 2000, S, 53))
    g.wan(udp(S, 53, E, 2000), sent=udp(S, 53, A, 2000))
    for n in range(100):
        g.at(299)
        ask(g, 3000 + 2 * n)
    g.wan(udp(S, 53, E, 2000), sent=udp(S, 53, A, 2000))


@case
def question_of_a_neighbour(g):
    """RFC 6888 REQ-11d: a host at its limit ends questions of its own, nobody else's"""
    g.config(mappings_per_host=1)
    g.lan(udp(B, 2000, S, 53), sent=udp(E, 2000, S, 53))
    g.wan(udp(S, 53, E, 2000), sent=udp(S, 53, B, 2000))
    g.lan(udp(A, 2002, S, 80), sent=udp(E, 2002, S, 80))
    g.at(100)
    g.lan(udp(A, 2004, S, 53), punt="host_mappings")
    g.wan(udp(S, 53, E, 2000), sent=udp(S, 53, B, 2000))


@case
def not_only_a_question(g):
    """RFC 4787 REQ-5: what is no lone question keeps its timer: SIP, QUIC, a peer at port 123, DNS over TCP and TLS, ..."""
    flows = [udp(A, 2000, S, port) for port in (5060, 443, 853, 500, 4500, 1194, 1701, 51820)]
    flows += [udp(A, 123, S, 123), udp(A, 53, S, 53), udp(A, 4500, S, 53), tcp(A, 2000, S, 53), tcp(A, 2000, S, 853)]
    for packet in flows:
        g.reset()
        g.config(mappings_per_host=1)
        assert g.quick(bytes(12) + b"\x08\0" + bytes(packet))[0].verdict == "forward"
        g.at(100)
        g.lan(udp(A, 2002, S, 53), punt="host_mappings")


@case
def question_and_more(g):
    """RFC 4787 REQ-5: nor does a socket that asks several servers, or uses the port for something else too"""
    for other in (udp(A, 2000, T, 53), udp(A, 2000, S, 5353)):
        g.reset()
        g.config(mappings_per_host=1)
        g.lan(udp(A, 2000, S, 53), sent=udp(E, 2000, S, 53))
        g.wan(udp(S, 53, E, 2000), sent=udp(S, 53, A, 2000))
        assert g.quick(bytes(12) + b"\x08\0" + bytes(other))[0].verdict == "forward"
        g.at(100)
        g.lan(udp(A, 2002, S, 53), punt="host_mappings")
        g.wan(udp(S, 53, E, 2000), sent=udp(S, 53, A, 2000))


@case
def tunnel_at_a_questions_port(g):
    """A VPN at port 53 or 123: many packets either way are no question"""
    for port, asked, answered in ((53, 9, 9), (123, 9, 9), (53, 9, 1), (53, 1, 9)):
        g.reset()
        g.config(mappings_per_host=1)
        for _ in range(asked):
            g.lan(udp(A, 2000, S, port), sent=udp(E, 2000, S, port))
        g.at(1)
        for _ in range(answered):
            g.wan(udp(S, port, E, 2000), sent=udp(S, port, A, 2000))
        g.at(100)
        g.lan(udp(A, 2002, S, 53), punt="host_mappings")


@case
def questions_before_others_that_wait(g):
    """The oldest that is over gives way, also where older ones still wait for their answers"""
    g.config(mappings_per_host=20)
    for n in range(20):
        assert ask(g, 2000 + 2 * n).verdict == "forward"
    g.wan(udp(S, 53, E, 2038), sent=udp(S, 53, A, 2038))
    g.wan(udp(S, 53, E, 2036), sent=udp(S, 53, A, 2036))
    g.at(6)
    assert ask(g, 3000, service=80).verdict == "forward"
    g.wan(udp(S, 53, E, 2036), drop="unsolicited")
    g.wan(udp(S, 53, E, 2038), sent=udp(S, 53, A, 2038))


@case
def ports_kept_for_vpns(g):
    """A host that has used up its ports with anything else can still dial its VPN"""
    g.config(mappings_per_host=256)
    for n in range(254):
        assert ask(g, 2000 + n, service=6881).verdict == "forward"
    g.lan(udp(A, 5000, S, 6881), punt="host_mappings")
    g.lan(udp(A, 500, S, 500), sent=udp(E, 500, S, 500))
    g.lan(udp(A, 4500, S, 4500), sent=udp(E, 4500, S, 4500))
    g.lan(udp(A, 1701, S, 1701), drop="host_mappings")

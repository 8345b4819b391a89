CREATE SCHEMA trgm;
CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA trgm;
COMMENT ON EXTENSION pg_trgm IS 'text similarity measurement and index searching based on trigrams';
CREATE FUNCTION public.account_purge(keep interval, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  account bigint; released boolean; emails bigint[]; gone int; old_domain bigint;
BEGIN
  IF keep < interval '0' OR most < 1 THEN RAISE EXCEPTION 'account_purge: bad arguments'; END IF;
  SELECT a.id, a.purging INTO account, released FROM account a WHERE a.state = 4 AND (a.purging OR a.deleted_at < now() - keep)
    ORDER BY a.deleted_at LIMIT 1 FOR UPDATE SKIP LOCKED;
  IF account IS NULL THEN
    SELECT d.id INTO old_domain FROM domain d WHERE d.deleted_at IS NOT NULL AND (d.purging OR d.deleted_at < now() - keep)
      AND NOT EXISTS (SELECT FROM account a WHERE a.domain_id = d.id) ORDER BY d.id LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF old_domain IS NULL THEN RETURN 0; END IF;
    DELETE FROM alias WHERE id IN (SELECT l.id FROM alias l WHERE l.domain_id = old_domain LIMIT most);
    GET DIAGNOSTICS gone = ROW_COUNT;
    IF gone > 0 THEN RETURN gone; END IF;
    UPDATE domain SET alias_of = NULL, version = version + 1 WHERE alias_of = old_domain;
    DELETE FROM domain WHERE id = old_domain;
    RETURN 1;
  END IF;
  IF NOT released THEN PERFORM account_release(account); END IF;
  -- Statements behind this one see what a delivery under way has stored.
  PERFORM FROM account_state s WHERE s.account_id = account FOR UPDATE;
  SELECT array_agg(id) INTO emails FROM (SELECT e.id, sum(e.size) OVER (ORDER BY e.id) - e.size AS before
    FROM (SELECT x.id, x.size FROM email x WHERE x.account_id = account ORDER BY x.id LIMIT most) e) f WHERE before < 67108864;
  IF emails IS NOT NULL THEN
    DELETE FROM message m WHERE m.account_id = account AND m.email_id = ANY (emails);
    DELETE FROM email_text t WHERE t.account_id = account AND t.email_id = ANY (emails);
    DELETE FROM blob b WHERE b.account_id = account AND b.email_id = ANY (emails);
    DELETE FROM email e WHERE e.account_id = account AND e.id = ANY (emails);
    RETURN cardinality(emails);
  END IF;
  DELETE FROM expunged x WHERE x.account_id = account AND x.ctid = ANY (ARRAY(SELECT y.ctid FROM expunged y
    WHERE y.account_id = account LIMIT most));
  GET DIAGNOSTICS gone = ROW_COUNT;
  IF gone > 0 THEN RETURN gone; END IF;
  DELETE FROM mailbox b WHERE b.account_id = account;
  DELETE FROM subscription s WHERE s.account_id = account;
  DELETE FROM keyword k WHERE k.account_id = account;
  DELETE FROM pop3_lock l WHERE l.account_id = account;
  DELETE FROM sieve_mark m WHERE m.account_id = account;
  DELETE FROM quota_due q WHERE q.account_id = account;
  DELETE FROM account_state s WHERE s.account_id = account;
  DELETE FROM account a WHERE a.id = account;
  RETURN 1;
END $$;
CREATE FUNCTION public.account_release(account bigint) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
BEGIN
  PERFORM address_leave_aliases(ARRAY(SELECT x.localpart || '@' || d.name FROM address x
    JOIN domain d ON d.id = x.domain_id WHERE x.account_id = account));
  DELETE FROM address WHERE account_id = account;
  UPDATE account a SET purging = true, address = 'deleted ' || a.id || ' ' || a.address, version = version + 1
    WHERE a.id = account AND NOT a.purging;
END $$;
CREATE FUNCTION public.address_leave_aliases(addresses text[]) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  touched bigint[];
BEGIN
  WITH m AS (DELETE FROM alias_member WHERE address = ANY (addresses) RETURNING alias_id)
    SELECT array_agg(DISTINCT alias_id) INTO touched FROM m;
  UPDATE alias SET version = version + 1 WHERE id = ANY (touched);
  DELETE FROM alias l WHERE id = ANY (touched) AND NOT EXISTS (SELECT FROM alias_member m WHERE m.alias_id = l.id);
END $$;
CREATE FUNCTION public.blob_copy(from_account bigint, from_email bigint, to_account bigint, to_email bigint) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$WITH c AS (INSERT INTO blob (account_id, email_id, n, data) SELECT to_account, to_email, n, data FROM blob
        WHERE account_id = from_account AND email_id = from_email
          AND xmin::text::bigint = pg_current_xact_id()::text::bigint % 4294967296 RETURNING n)
      SELECT count(*) FROM c$$;
CREATE FUNCTION public.email_exists(account bigint, email bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$SELECT EXISTS (SELECT FROM email WHERE account_id = account AND id = email_exists.email)$$;
CREATE FUNCTION public.mail_recount(account bigint, repair boolean) RETURNS TABLE(mailbox text, counter text, was bigint, counted bigint)
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
#variable_conflict use_column
BEGIN
  PERFORM FROM account_state WHERE account_id = account FOR NO KEY UPDATE;
  RETURN QUERY
    WITH n AS MATERIALIZED (SELECT mailbox_id, count(*) AS messages, count(*) FILTER (WHERE flags & 1 = 0) AS unseen,
        count(*) FILTER (WHERE flags & 8 <> 0) AS deleted, sum(size)::bigint AS bytes FROM message
        WHERE account_id = account GROUP BY mailbox_id),
      b AS MATERIALIZED (SELECT b.id, b.name, b.messages, b.unseen, b.deleted, b.bytes, coalesce(n.messages, 0) AS n_messages,
        coalesce(n.unseen, 0) AS n_unseen, coalesce(n.deleted, 0) AS n_deleted, coalesce(n.bytes, 0) AS n_bytes
        FROM mailbox b LEFT JOIN n ON n.mailbox_id = b.id WHERE b.account_id = account),
      s AS MATERIALIZED (SELECT used_bytes, used_messages, (SELECT coalesce(sum(bytes), 0)::bigint FROM n) AS n_bytes,
        (SELECT coalesce(sum(messages), 0)::bigint FROM n) AS n_messages FROM account_state WHERE account_id = account),
      ub AS (UPDATE mailbox x SET messages = b.n_messages, unseen = b.n_unseen, deleted = b.n_deleted, bytes = b.n_bytes FROM b
        WHERE repair AND x.account_id = account AND x.id = b.id
          AND (b.messages, b.unseen, b.deleted, b.bytes) <> (b.n_messages, b.n_unseen, b.n_deleted, b.n_bytes)),
      us AS (UPDATE account_state x SET used_bytes = s.n_bytes, used_messages = s.n_messages FROM s
        WHERE repair AND x.account_id = account AND (s.used_bytes, s.used_messages) <> (s.n_bytes, s.n_messages)),
      d AS (INSERT INTO quota_due SELECT account FROM s WHERE repair AND (s.used_bytes, s.used_messages) <> (s.n_bytes, s.n_messages)
        ON CONFLICT DO NOTHING)
    SELECT b.name, v.counter, v.was, v.counted FROM b, LATERAL (VALUES ('messages', b.messages, b.n_messages),
        ('unseen', b.unseen, b.n_unseen), ('deleted', b.deleted, b.n_deleted), ('bytes', b.bytes, b.n_bytes)) AS v (counter, was, counted)
      WHERE v.was <> v.counted
    UNION ALL
    SELECT NULL, v.counter, v.was, v.counted FROM s, LATERAL (VALUES ('messages', s.used_messages, s.n_messages),
        ('bytes', s.used_bytes, s.n_bytes)) AS v (counter, was, counted) WHERE v.was <> v.counted;
END $$;
CREATE FUNCTION public.mail_sweep(keep interval, most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
DECLARE
  account bigint; taken int; emails bigint[];
BEGIN
  IF keep < interval '0' OR most < 1 THEN RAISE EXCEPTION 'mail_sweep: bad arguments'; END IF;
  SELECT x.account_id INTO account FROM expunged x WHERE x.email_id IS NOT NULL AND x.at < now() - keep ORDER BY x.at LIMIT 1;
  IF account IS NULL THEN RETURN 0; END IF;
  PERFORM FROM account_state WHERE account_id = account FOR NO KEY UPDATE;
  WITH due AS (SELECT mailbox_id, modseq, uid, email_id AS was FROM expunged
      WHERE account_id = account AND email_id IS NOT NULL AND at < now() - keep ORDER BY at LIMIT most),
    w AS (UPDATE expunged x SET email_id = NULL FROM due d WHERE x.account_id = account AND x.mailbox_id = d.mailbox_id
      AND x.modseq = d.modseq AND x.uid = d.uid RETURNING d.was)
  SELECT count(*), array_agg(DISTINCT was) INTO taken, emails FROM w;
  -- A statement of its own: its snapshot sees what the update above left.
  DELETE FROM email e WHERE e.account_id = account AND e.id = ANY (emails)
    AND NOT EXISTS (SELECT FROM message m WHERE m.email_id = e.id AND m.account_id = account)
    AND NOT EXISTS (SELECT FROM expunged y WHERE y.account_id = account AND y.email_id = e.id);
  DELETE FROM blob b WHERE b.account_id = account AND b.email_id = ANY (emails)
    AND NOT EXISTS (SELECT FROM email e WHERE e.account_id = account AND e.id = b.email_id);
  DELETE FROM email_text t WHERE t.account_id = account AND t.email_id = ANY (emails)
    AND NOT EXISTS (SELECT FROM email e WHERE e.account_id = account AND e.id = t.email_id);
  RETURN taken;
END $$;
CREATE FUNCTION public.quota_level(used bigint, quota bigint) RETURNS smallint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    AS $$SELECT (CASE WHEN used >= quota - quota / 20 THEN 95 WHEN used >= quota - quota / 5 THEN 80 ELSE 0 END)::smallint$$;
CREATE FUNCTION public.thread_find(account bigint, ids text[]) RETURNS bigint
    LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$SELECT thread_id FROM email WHERE account_id = account AND message_id = ANY (ids) ORDER BY id LIMIT 1$$;
CREATE FUNCTION public.trace_forget_refused(keep integer, most integer) RETURNS bigint
    LANGUAGE sql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    AS $$
  WITH old AS MATERIALIZED (SELECT at, id FROM trace WHERE outcome = 6 AND at < now() - make_interval(days => greatest(keep, 1)) LIMIT most),
  e AS (DELETE FROM trace_event e USING old WHERE e.at = old.at AND e.trace_id = old.id),
  r AS (DELETE FROM trace_recipient r USING old WHERE r.at = old.at AND r.trace_id = old.id),
  t AS (DELETE FROM trace t USING old WHERE t.at = old.at AND t.id = old.id RETURNING 1)
  SELECT count(*) FROM t;
$$;
CREATE FUNCTION public.trace_partitions(keep integer, only_base text DEFAULT NULL::text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'public', 'pg_temp'
    SET lock_timeout TO '300ms'
    AS $_$
DECLARE
  base text; day date; part text;
BEGIN
  IF keep < 1 THEN RAISE EXCEPTION 'keep must be at least 1'; END IF;
  PERFORM pg_advisory_xact_lock(4710);
  FOREACH base IN ARRAY ARRAY['trace', 'trace_recipient', 'trace_event'] LOOP
    CONTINUE WHEN base <> only_base;
    FOR day IN SELECT (now() AT TIME ZONE 'UTC')::date + i FROM generate_series(1, 7) i LOOP
      part := base || '_' || to_char(day, 'YYYYMMDD');
      IF to_regclass(part) IS NULL THEN
        EXECUTE format('CREATE TABLE %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)', part, base,
                       day::text || ' 00:00:00+00', (day + 1)::text || ' 00:00:00+00');
      END IF;
    END LOOP;
    FOR part IN SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = base::regclass AND c.relname ~ ('^' || base || '_[0-9]{8}$')
          AND to_date(right(c.relname, 8), 'YYYYMMDD') < (now() AT TIME ZONE 'UTC')::date - keep LOOP
      EXECUTE format('DROP TABLE %I', part);
    END LOOP;
    EXECUTE format('DELETE FROM %I WHERE at < now() - make_interval(days => $1)', base || '_default') USING keep;
  END LOOP;
END $_$;
CREATE TABLE public.account (
    id bigint NOT NULL,
    tenant_id bigint NOT NULL,
    domain_id bigint NOT NULL,
    address text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    role smallint DEFAULT 0 NOT NULL,
    state smallint DEFAULT 1 NOT NULL,
    state_reason text,
    state_at timestamp with time zone,
    state_by text,
    state_before smallint,
    language text,
    delivery text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    version bigint DEFAULT 1 NOT NULL,
    delivery_user text,
    forward text[] DEFAULT '{}'::text[] NOT NULL,
    forward_keep boolean DEFAULT true NOT NULL,
    frozen_at timestamp with time zone,
    frozen_by text,
    frozen_reason text,
    frozen_before smallint,
    sessions_from timestamp with time zone,
    totp_at timestamp with time zone,
    deleted_from smallint,
    purging boolean DEFAULT false NOT NULL,
    recipients_per_hour integer,
    recipients_per_day integer,
    CONSTRAINT account_check CHECK (((frozen_at IS NULL) = (frozen_before IS NULL))),
    CONSTRAINT account_frozen_before_check CHECK ((frozen_before = ANY (ARRAY[0, 1])))
);
ALTER TABLE public.account ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.account_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.account_network (
    account_id bigint NOT NULL,
    network cidr NOT NULL,
    seen_at timestamp with time zone NOT NULL
);
CREATE TABLE public.account_state (
    account_id bigint NOT NULL,
    modseq bigint DEFAULT 1 NOT NULL,
    last_uidvalidity bigint DEFAULT 0 NOT NULL,
    used_bytes bigint DEFAULT 0 NOT NULL,
    used_messages bigint DEFAULT 0 NOT NULL,
    quota_bytes bigint,
    quota_messages bigint,
    warned smallint DEFAULT 0 NOT NULL
)
WITH (fillfactor='40');
CREATE TABLE public.address (
    domain_id bigint NOT NULL,
    localpart text NOT NULL,
    account_id bigint,
    alias_id bigint,
    pattern text GENERATED ALWAYS AS (
CASE
    WHEN (strpos(localpart, '*'::text) > 0) THEN replace(replace(replace(replace(localpart, '\'::text, '\\'::text), '%'::text, '\%'::text), '_'::text, '\_'::text), '*'::text, '%'::text)
    ELSE NULL::text
END) STORED,
    CONSTRAINT address_check CHECK (((account_id IS NULL) <> (alias_id IS NULL)))
);
CREATE TABLE public.alias (
    id bigint NOT NULL,
    tenant_id bigint NOT NULL,
    domain_id bigint NOT NULL,
    address text NOT NULL,
    who_may_send text DEFAULT 'anyone'::text NOT NULL,
    state smallint DEFAULT 0 NOT NULL,
    expires_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    allowed_senders text[] DEFAULT '{}'::text[] NOT NULL,
    send_as text[],
    CONSTRAINT alias_who_may_send_check CHECK ((who_may_send = ANY (ARRAY['anyone'::text, 'domain'::text, 'members'::text, 'list'::text])))
);
ALTER TABLE public.alias ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.alias_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.alias_member (
    alias_id bigint NOT NULL,
    n integer NOT NULL,
    address text NOT NULL
);
CREATE TABLE public.annotation (
    account_id bigint NOT NULL,
    mailbox_id bigint NOT NULL,
    name text NOT NULL,
    value bytea NOT NULL
);
CREATE TABLE public.audit (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor jsonb NOT NULL,
    action text NOT NULL,
    objects text[] DEFAULT '{}'::text[] NOT NULL,
    before jsonb,
    after jsonb,
    result text NOT NULL,
    request_id text,
    hash bytea NOT NULL
);
ALTER TABLE public.audit ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.audit_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.blob (
    account_id bigint NOT NULL,
    email_id bigint NOT NULL,
    n integer NOT NULL,
    data bytea NOT NULL
)
WITH (toast_tuple_target='4080');
ALTER TABLE ONLY public.blob ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE UNLOGGED TABLE public.connection (
    presence_id bigint NOT NULL,
    n bigint NOT NULL,
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    protocol text NOT NULL,
    ip inet,
    began_at timestamp with time zone NOT NULL,
    ending boolean DEFAULT false NOT NULL
);
ALTER TABLE public.connection ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.connection_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.credential (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    kind smallint NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    verifier text NOT NULL,
    protocols text[],
    networks cidr[],
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    last_used_at timestamp with time zone,
    expires_at timestamp with time zone,
    last_used_protocol text,
    last_used_ip inet,
    step bigint
);
ALTER TABLE public.credential ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.credential_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.domain (
    id bigint NOT NULL,
    tenant_id bigint NOT NULL,
    name text NOT NULL,
    kind smallint DEFAULT 0 NOT NULL,
    route text,
    alias_of bigint,
    state smallint DEFAULT 0 NOT NULL,
    language text,
    subaddress text DEFAULT '+'::text NOT NULL,
    catch_all text,
    account_limit integer,
    quota_bytes bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    deleted_at timestamp with time zone,
    version bigint DEFAULT 1 NOT NULL,
    delivery text DEFAULT 'store'::text NOT NULL,
    delivery_user text,
    purging boolean DEFAULT false NOT NULL,
    recipients_per_hour integer,
    recipients_per_day integer
);
CREATE TABLE public.domain_admin (
    domain_id bigint NOT NULL,
    account_id bigint NOT NULL
);
CREATE TABLE public.domain_dns (
    domain_id bigint NOT NULL,
    checked_at timestamp with time zone DEFAULT now() NOT NULL,
    found jsonb NOT NULL
);
ALTER TABLE public.domain ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.domain_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.email (
    account_id bigint NOT NULL,
    id bigint NOT NULL,
    size bigint NOT NULL,
    header_size bigint NOT NULL,
    frames smallint NOT NULL,
    received_as bigint,
    shared_blob_id bigint,
    sent_at timestamp with time zone,
    message_id text,
    refs text[],
    thread_id bigint NOT NULL,
    base_subject text,
    sort_from text,
    sort_to text,
    sort_cc text,
    envelope bytea NOT NULL,
    bodystructure bytea NOT NULL,
    parts bytea NOT NULL
);
ALTER TABLE ONLY public.email ALTER COLUMN envelope SET STORAGE MAIN;
ALTER TABLE ONLY public.email ALTER COLUMN bodystructure SET STORAGE MAIN;
CREATE SEQUENCE public.email_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.email_text (
    account_id bigint NOT NULL,
    email_id bigint NOT NULL,
    text text NOT NULL
);
ALTER TABLE ONLY public.email_text ALTER COLUMN text SET COMPRESSION lz4;
CREATE TABLE public.expunged (
    account_id bigint NOT NULL,
    mailbox_id bigint NOT NULL,
    modseq bigint NOT NULL,
    uid bigint NOT NULL,
    email_id bigint,
    internaldate timestamp with time zone,
    flags integer,
    at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.idempotency (
    hash bytea NOT NULL,
    request bytea NOT NULL,
    made_at timestamp with time zone DEFAULT now() NOT NULL,
    answer bytea
);
CREATE TABLE public.import (
    operation_id bigint NOT NULL,
    caller text NOT NULL,
    updates boolean NOT NULL,
    created bigint DEFAULT 0 NOT NULL,
    updated bigint DEFAULT 0 NOT NULL,
    unchanged bigint DEFAULT 0 NOT NULL,
    failed bigint DEFAULT 0 NOT NULL,
    worker text NOT NULL,
    leased_until timestamp with time zone NOT NULL,
    turn_at timestamp with time zone DEFAULT now() NOT NULL
);
CREATE TABLE public.import_line (
    operation_id bigint NOT NULL,
    line integer NOT NULL,
    address text NOT NULL,
    body text,
    with_password boolean NOT NULL,
    outcome smallint,
    done boolean DEFAULT false NOT NULL,
    invited boolean DEFAULT false NOT NULL,
    code text DEFAULT ''::text NOT NULL,
    detail text DEFAULT ''::text NOT NULL
);
CREATE TABLE public.keyword (
    account_id bigint NOT NULL,
    id integer NOT NULL,
    name text NOT NULL
);
CREATE SEQUENCE public.mailbox_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.mailbox (
    account_id bigint NOT NULL,
    id bigint DEFAULT nextval('public.mailbox_id_seq'::regclass) NOT NULL,
    name text NOT NULL,
    uidvalidity bigint NOT NULL,
    uidnext bigint DEFAULT 1 NOT NULL,
    first_recent bigint DEFAULT 1 NOT NULL,
    highestmodseq bigint DEFAULT 1 NOT NULL,
    vanished_from bigint DEFAULT 0 NOT NULL,
    messages bigint DEFAULT 0 NOT NULL,
    unseen bigint DEFAULT 0 NOT NULL,
    deleted bigint DEFAULT 0 NOT NULL,
    bytes bigint DEFAULT 0 NOT NULL,
    special_use smallint DEFAULT 0 NOT NULL,
    subscribed boolean DEFAULT true NOT NULL
)
WITH (fillfactor='40');
CREATE TABLE public.message (
    account_id bigint NOT NULL,
    mailbox_id bigint NOT NULL,
    uid bigint NOT NULL,
    email_id bigint NOT NULL,
    modseq bigint NOT NULL,
    internaldate timestamp with time zone NOT NULL,
    savedate timestamp with time zone DEFAULT now() NOT NULL,
    size bigint NOT NULL,
    flags integer DEFAULT 0 NOT NULL,
    keywords integer[],
    CONSTRAINT message_uid_check CHECK (((uid >= 1) AND (uid <= '4294967295'::bigint)))
)
WITH (fillfactor='90', autovacuum_vacuum_scale_factor='0.05', autovacuum_vacuum_insert_scale_factor='0.1');
CREATE TABLE public.node (
    name text NOT NULL,
    started_at timestamp with time zone NOT NULL,
    seen_at timestamp with time zone NOT NULL,
    version text NOT NULL
);
CREATE TABLE public.operation (
    id bigint NOT NULL,
    action smallint NOT NULL,
    actor text NOT NULL,
    reason text,
    at timestamp with time zone,
    route text,
    total bigint NOT NULL,
    done bigint DEFAULT 0 NOT NULL,
    changed bigint DEFAULT 0 NOT NULL,
    skipped bigint DEFAULT 0 NOT NULL,
    state smallint DEFAULT 0 NOT NULL,
    undo_id bigint,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone
);
CREATE TABLE public.operation_chunk (
    operation_id bigint NOT NULL,
    n integer NOT NULL,
    ids bigint[] NOT NULL
);
ALTER TABLE public.operation ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.operation_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.owner_letter (
    id bigint NOT NULL,
    account_id bigint NOT NULL,
    kind smallint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    name text,
    protocol text,
    ip inet,
    is_last boolean NOT NULL,
    queue_id bigint
);
ALTER TABLE public.owner_letter ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.owner_letter_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.pop3_lock (
    account_id bigint NOT NULL,
    holder text NOT NULL,
    until timestamp with time zone NOT NULL
);
CREATE UNLOGGED TABLE public.presence (
    id bigint NOT NULL,
    node text NOT NULL,
    process text NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL
);
ALTER TABLE public.presence ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.presence_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.queue_blob (
    queue_id bigint NOT NULL,
    n integer NOT NULL,
    data bytea NOT NULL
)
WITH (toast_tuple_target='4080');
ALTER TABLE ONLY public.queue_blob ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE public.queue_destination (
    destination text NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    served_at timestamp with time zone DEFAULT now() NOT NULL,
    in_flight integer DEFAULT 0 NOT NULL,
    max_in_flight integer DEFAULT 20 NOT NULL,
    last_reply text,
    paused_until timestamp with time zone,
    paused_at timestamp with time zone,
    paused_by text,
    paused_reason text,
    version bigint DEFAULT 0 NOT NULL
)
WITH (fillfactor='50', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='500', autovacuum_vacuum_cost_delay='0');
CREATE TABLE public.queue_hold_rule (
    id bigint NOT NULL,
    sender text,
    sender_domain text,
    destination text,
    until timestamp with time zone,
    reason text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT queue_hold_rule_check CHECK ((num_nonnulls(sender, sender_domain, destination) = 1))
);
ALTER TABLE public.queue_hold_rule ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.queue_hold_rule_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE SEQUENCE public.queue_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;
CREATE TABLE public.queue_message (
    id bigint NOT NULL,
    account_id bigint,
    reverse_path text NOT NULL,
    ret character(1),
    envid text,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    size bigint NOT NULL,
    header_size bigint NOT NULL,
    frames smallint NOT NULL,
    body_flags smallint DEFAULT 0 NOT NULL,
    subject text,
    message_id text,
    origin jsonb,
    version bigint DEFAULT 1 NOT NULL,
    deliver_by timestamp with time zone,
    by_mode text,
    CONSTRAINT queue_message_by_mode_check CHECK ((by_mode = ANY (ARRAY['N'::text, 'R'::text, 'NT'::text, 'RT'::text]))),
    CONSTRAINT queue_message_check CHECK (((deliver_by IS NULL) = (by_mode IS NULL)))
);
CREATE TABLE public.queue_recipient (
    queue_id bigint NOT NULL,
    n integer NOT NULL,
    recipient text NOT NULL,
    orcpt text,
    notify smallint DEFAULT 0 NOT NULL,
    destination text NOT NULL,
    state smallint DEFAULT 0 NOT NULL,
    lane smallint DEFAULT 1 NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    lease_by text,
    attempts integer DEFAULT 0 NOT NULL,
    delay_told boolean DEFAULT false NOT NULL,
    last_reply text,
    reason text,
    program text,
    folder text,
    flags integer DEFAULT 0 NOT NULL,
    undo_id bigint,
    was_state smallint,
    was_due_at timestamp with time zone,
    was_destination text,
    home text
)
WITH (fillfactor='70', autovacuum_vacuum_scale_factor='0.01', autovacuum_vacuum_threshold='2000', autovacuum_vacuum_cost_delay='0');
CREATE TABLE public.queue_undo (
    id bigint NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    until timestamp with time zone DEFAULT (now() + '00:01:00'::interval) NOT NULL,
    action text NOT NULL,
    actor text NOT NULL,
    reason text,
    changed bigint DEFAULT 0 NOT NULL,
    undone boolean DEFAULT false NOT NULL
);
ALTER TABLE public.queue_undo ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.queue_undo_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.quota_due (
    account_id bigint NOT NULL
);
CREATE TABLE public.secret (
    name text NOT NULL,
    value bytea NOT NULL
);
CREATE TABLE public.sent (
    account_id bigint NOT NULL,
    at timestamp with time zone NOT NULL,
    slot smallint NOT NULL,
    recipients integer NOT NULL
)
WITH (fillfactor='70');
CREATE TABLE public.session (
    hash bytea NOT NULL,
    account_id bigint NOT NULL,
    csrf text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    authenticated_at timestamp with time zone DEFAULT now() NOT NULL,
    must_set_password boolean DEFAULT false NOT NULL,
    ip inet,
    user_agent text,
    id bigint NOT NULL,
    code_due boolean DEFAULT false NOT NULL,
    tries smallint DEFAULT 0 NOT NULL
);
ALTER TABLE public.session ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.session_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.setting (
    key text NOT NULL,
    value jsonb NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_by text DEFAULT ''::text NOT NULL
);
CREATE TABLE public.sieve_mark (
    account_id bigint NOT NULL,
    kind smallint NOT NULL,
    hash bytea NOT NULL,
    until timestamp with time zone NOT NULL
);
CREATE TABLE public.sieve_script (
    id bigint NOT NULL,
    account_id bigint,
    domain_id bigint,
    place smallint DEFAULT 0 NOT NULL,
    name text NOT NULL,
    content text NOT NULL,
    hash bytea NOT NULL,
    active boolean DEFAULT false NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    version bigint DEFAULT 1 NOT NULL,
    CONSTRAINT sieve_script_check CHECK (((account_id IS NULL) OR (domain_id IS NULL))),
    CONSTRAINT sieve_script_check1 CHECK (((place = ANY (ARRAY[0, 4])) OR (account_id IS NULL)))
);
ALTER TABLE public.sieve_script ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.sieve_script_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.sign_in (
    account_id bigint NOT NULL,
    protocol text NOT NULL,
    at timestamp with time zone NOT NULL,
    ip inet
)
WITH (fillfactor='50');
CREATE TABLE public.sign_in_log (
    account_id bigint NOT NULL,
    hour timestamp with time zone NOT NULL,
    protocol text NOT NULL,
    result smallint NOT NULL,
    network cidr NOT NULL,
    ip inet,
    first_at timestamp with time zone NOT NULL,
    last_at timestamp with time zone NOT NULL,
    count bigint NOT NULL
);
CREATE TABLE public.subscription (
    account_id bigint NOT NULL,
    name text NOT NULL
);
CREATE TABLE public.tenant (
    id bigint NOT NULL,
    name text NOT NULL
);
ALTER TABLE public.tenant ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.tenant_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.token (
    id bigint NOT NULL,
    hash bytea NOT NULL,
    account_id bigint,
    name text NOT NULL,
    role smallint NOT NULL,
    scopes text[] NOT NULL,
    domains text[],
    networks cidr[],
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone,
    last_used_at timestamp with time zone,
    version bigint DEFAULT 1 NOT NULL
);
ALTER TABLE public.token ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.token_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.trace (
    at timestamp with time zone NOT NULL,
    id bigint NOT NULL,
    direction smallint NOT NULL,
    outcome smallint NOT NULL,
    sender text NOT NULL,
    account_id bigint,
    subject text,
    message_id text,
    size bigint,
    client inet,
    session text,
    listener text,
    tls text
)
PARTITION BY RANGE (at);
CREATE TABLE public.trace_default (
    at timestamp with time zone NOT NULL,
    id bigint NOT NULL,
    direction smallint NOT NULL,
    outcome smallint NOT NULL,
    sender text NOT NULL,
    account_id bigint,
    subject text,
    message_id text,
    size bigint,
    client inet,
    session text,
    listener text,
    tls text
);
CREATE TABLE public.trace_event (
    at timestamp with time zone NOT NULL,
    trace_id bigint NOT NULL,
    n integer NOT NULL,
    happened_at timestamp with time zone DEFAULT now() NOT NULL,
    seq integer DEFAULT 0 NOT NULL,
    kind smallint NOT NULL,
    host text,
    address inet,
    tls text,
    phase text,
    session text,
    result smallint,
    reason text,
    code smallint,
    enhanced text,
    reply text,
    milliseconds integer,
    dialogue bytea,
    actor text,
    mailbox text,
    rule text
)
PARTITION BY RANGE (at);
CREATE TABLE public.trace_event_default (
    at timestamp with time zone NOT NULL,
    trace_id bigint NOT NULL,
    n integer NOT NULL,
    happened_at timestamp with time zone DEFAULT now() NOT NULL,
    seq integer DEFAULT 0 NOT NULL,
    kind smallint NOT NULL,
    host text,
    address inet,
    tls text,
    phase text,
    session text,
    result smallint,
    reason text,
    code smallint,
    enhanced text,
    reply text,
    milliseconds integer,
    dialogue bytea,
    actor text,
    mailbox text,
    rule text
);
CREATE TABLE public.trace_recipient (
    at timestamp with time zone NOT NULL,
    trace_id bigint NOT NULL,
    n integer NOT NULL,
    recipient text NOT NULL,
    account_id bigint,
    domain text NOT NULL,
    outcome smallint NOT NULL
)
PARTITION BY RANGE (at);
CREATE TABLE public.trace_recipient_default (
    at timestamp with time zone NOT NULL,
    trace_id bigint NOT NULL,
    n integer NOT NULL,
    recipient text NOT NULL,
    account_id bigint,
    domain text NOT NULL,
    outcome smallint NOT NULL
);
CREATE TABLE public.traffic (
    step smallint NOT NULL,
    at timestamp with time zone NOT NULL,
    accepted bigint NOT NULL,
    delivered bigint NOT NULL,
    deferred bigint NOT NULL,
    refused bigint NOT NULL,
    CONSTRAINT traffic_step_check CHECK ((step = ANY (ARRAY[60, 3600])))
);
ALTER TABLE ONLY public.trace ATTACH PARTITION public.trace_default DEFAULT;
ALTER TABLE ONLY public.trace_event ATTACH PARTITION public.trace_event_default DEFAULT;
ALTER TABLE ONLY public.trace_recipient ATTACH PARTITION public.trace_recipient_default DEFAULT;
ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_address_key UNIQUE (address);
ALTER TABLE ONLY public.account_network
    ADD CONSTRAINT account_network_pkey PRIMARY KEY (account_id, network);
ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.account_state
    ADD CONSTRAINT account_state_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_pkey PRIMARY KEY (domain_id, localpart);
ALTER TABLE ONLY public.alias
    ADD CONSTRAINT alias_address_key UNIQUE (address);
ALTER TABLE ONLY public.alias_member
    ADD CONSTRAINT alias_member_pkey PRIMARY KEY (alias_id, n);
ALTER TABLE ONLY public.alias
    ADD CONSTRAINT alias_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.annotation
    ADD CONSTRAINT annotation_pkey PRIMARY KEY (account_id, mailbox_id, name);
ALTER TABLE ONLY public.audit
    ADD CONSTRAINT audit_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.blob
    ADD CONSTRAINT blob_pkey PRIMARY KEY (account_id, email_id, n);
ALTER TABLE ONLY public.connection
    ADD CONSTRAINT connection_id_key UNIQUE (id);
ALTER TABLE ONLY public.connection
    ADD CONSTRAINT connection_pkey PRIMARY KEY (presence_id, n);
ALTER TABLE ONLY public.credential
    ADD CONSTRAINT credential_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.domain_admin
    ADD CONSTRAINT domain_admin_pkey PRIMARY KEY (domain_id, account_id);
ALTER TABLE ONLY public.domain_dns
    ADD CONSTRAINT domain_dns_pkey PRIMARY KEY (domain_id);
ALTER TABLE ONLY public.domain
    ADD CONSTRAINT domain_name_key UNIQUE (name);
ALTER TABLE ONLY public.domain
    ADD CONSTRAINT domain_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.email
    ADD CONSTRAINT email_pkey PRIMARY KEY (account_id, id);
ALTER TABLE ONLY public.email_text
    ADD CONSTRAINT email_text_pkey PRIMARY KEY (account_id, email_id);
ALTER TABLE ONLY public.expunged
    ADD CONSTRAINT expunged_pkey PRIMARY KEY (account_id, mailbox_id, modseq, uid);
ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY public.import_line
    ADD CONSTRAINT import_line_pkey PRIMARY KEY (operation_id, line);
ALTER TABLE ONLY public.import
    ADD CONSTRAINT import_pkey PRIMARY KEY (operation_id);
ALTER TABLE ONLY public.keyword
    ADD CONSTRAINT keyword_pkey PRIMARY KEY (account_id, id);
ALTER TABLE ONLY public.mailbox
    ADD CONSTRAINT mailbox_account_id_name_key UNIQUE (account_id, name);
ALTER TABLE ONLY public.mailbox
    ADD CONSTRAINT mailbox_pkey PRIMARY KEY (account_id, id);
ALTER TABLE ONLY public.message
    ADD CONSTRAINT message_pkey PRIMARY KEY (account_id, mailbox_id, uid) INCLUDE (email_id, modseq, flags, keywords);
ALTER TABLE ONLY public.node
    ADD CONSTRAINT node_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.operation_chunk
    ADD CONSTRAINT operation_chunk_pkey PRIMARY KEY (operation_id, n);
ALTER TABLE ONLY public.operation
    ADD CONSTRAINT operation_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.owner_letter
    ADD CONSTRAINT owner_letter_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.pop3_lock
    ADD CONSTRAINT pop3_lock_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY public.presence
    ADD CONSTRAINT presence_node_process_key UNIQUE (node, process);
ALTER TABLE ONLY public.presence
    ADD CONSTRAINT presence_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.queue_blob
    ADD CONSTRAINT queue_blob_pkey PRIMARY KEY (queue_id, n);
ALTER TABLE ONLY public.queue_destination
    ADD CONSTRAINT queue_destination_pkey PRIMARY KEY (destination);
ALTER TABLE ONLY public.queue_hold_rule
    ADD CONSTRAINT queue_hold_rule_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.queue_message
    ADD CONSTRAINT queue_message_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.queue_recipient
    ADD CONSTRAINT queue_recipient_pkey PRIMARY KEY (queue_id, n);
ALTER TABLE ONLY public.queue_undo
    ADD CONSTRAINT queue_undo_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.quota_due
    ADD CONSTRAINT quota_due_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY public.secret
    ADD CONSTRAINT secret_pkey PRIMARY KEY (name);
ALTER TABLE ONLY public.sent
    ADD CONSTRAINT sent_pkey PRIMARY KEY (account_id, at, slot);
ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_id_key UNIQUE (id);
ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (hash);
ALTER TABLE ONLY public.setting
    ADD CONSTRAINT setting_pkey PRIMARY KEY (key);
ALTER TABLE ONLY public.sieve_mark
    ADD CONSTRAINT sieve_mark_pkey PRIMARY KEY (account_id, kind, hash);
ALTER TABLE ONLY public.sieve_script
    ADD CONSTRAINT sieve_script_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.sign_in_log
    ADD CONSTRAINT sign_in_log_pkey PRIMARY KEY (account_id, hour, protocol, result, network);
ALTER TABLE ONLY public.sign_in
    ADD CONSTRAINT sign_in_pkey PRIMARY KEY (account_id, protocol);
ALTER TABLE ONLY public.subscription
    ADD CONSTRAINT subscription_pkey PRIMARY KEY (account_id, name);
ALTER TABLE ONLY public.tenant
    ADD CONSTRAINT tenant_name_key UNIQUE (name);
ALTER TABLE ONLY public.tenant
    ADD CONSTRAINT tenant_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_hash_key UNIQUE (hash);
ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.trace
    ADD CONSTRAINT trace_pkey PRIMARY KEY (at, id);
ALTER TABLE ONLY public.trace_default
    ADD CONSTRAINT trace_default_pkey PRIMARY KEY (at, id);
ALTER TABLE ONLY public.trace_event
    ADD CONSTRAINT trace_event_pkey PRIMARY KEY (at, trace_id, n, kind, happened_at);
ALTER TABLE ONLY public.trace_event_default
    ADD CONSTRAINT trace_event_default_pkey PRIMARY KEY (at, trace_id, n, kind, happened_at);
ALTER TABLE ONLY public.trace_recipient
    ADD CONSTRAINT trace_recipient_pkey PRIMARY KEY (at, trace_id, n);
ALTER TABLE ONLY public.trace_recipient_default
    ADD CONSTRAINT trace_recipient_default_pkey PRIMARY KEY (at, trace_id, n);
ALTER TABLE ONLY public.traffic
    ADD CONSTRAINT traffic_pkey PRIMARY KEY (step, at);
CREATE INDEX account_deleted ON public.account USING btree (deleted_at) WHERE (state = 4);
CREATE INDEX account_domain ON public.account USING btree (domain_id, address);
CREATE INDEX address_account ON public.address USING btree (account_id) WHERE (account_id IS NOT NULL);
CREATE INDEX address_alias ON public.address USING btree (alias_id) WHERE (alias_id IS NOT NULL);
CREATE INDEX address_pattern ON public.address USING btree (domain_id) WHERE (pattern IS NOT NULL);
CREATE INDEX alias_member_address ON public.alias_member USING btree (address);
CREATE INDEX audit_action ON public.audit USING btree (action, id);
CREATE INDEX audit_actor ON public.audit USING btree (((actor ->> 'name'::text)), id);
CREATE INDEX audit_at ON public.audit USING btree (at);
CREATE INDEX audit_objects ON public.audit USING gin (objects);
CREATE INDEX connection_account ON public.connection USING btree (account_id);
CREATE INDEX credential_account ON public.credential USING btree (account_id, kind);
CREATE INDEX credential_link ON public.credential USING btree (verifier) WHERE (kind = 4);
CREATE UNIQUE INDEX credential_password ON public.credential USING btree (account_id) WHERE (kind = 0);
CREATE UNIQUE INDEX credential_totp ON public.credential USING btree (account_id) WHERE (kind = 2);
CREATE INDEX email_message_id ON public.email USING btree (account_id, message_id) WHERE (message_id IS NOT NULL);
CREATE INDEX expunged_email ON public.expunged USING btree (account_id, email_id) WHERE (email_id IS NOT NULL);
CREATE INDEX expunged_sweep ON public.expunged USING btree (at) WHERE (email_id IS NOT NULL);
CREATE INDEX idempotency_made ON public.idempotency USING btree (made_at);
CREATE INDEX import_line_waiting ON public.import_line USING btree (operation_id, line) WHERE (NOT done);
CREATE UNIQUE INDEX keyword_name ON public.keyword USING btree (account_id, lower(name));
CREATE INDEX message_email ON public.message USING btree (email_id, account_id);
CREATE INDEX message_modseq ON public.message USING btree (((account_id + 0)), mailbox_id, modseq);
CREATE INDEX owner_letter_account ON public.owner_letter USING btree (account_id, kind, at);
CREATE INDEX owner_letter_due ON public.owner_letter USING btree (id) WHERE (queue_id IS NULL);
CREATE INDEX queue_destination_due ON public.queue_recipient USING btree (destination, lane, due_at) WHERE (state = 0);
CREATE INDEX queue_due ON public.queue_recipient USING btree (due_at) WHERE (state = 0);
CREATE INDEX queue_held ON public.queue_recipient USING btree (destination) WHERE (state = 1);
CREATE INDEX queue_message_message_id ON public.queue_message USING btree (message_id) WHERE (message_id IS NOT NULL);
CREATE INDEX queue_message_sender ON public.queue_message USING btree (lower(reverse_path), id);
CREATE INDEX queue_message_sender_domain ON public.queue_message USING btree ("substring"(lower(reverse_path), '@[^@]*$'::text), id);
CREATE INDEX queue_message_sender_local ON public.queue_message USING btree ("substring"(lower(reverse_path), '^.*@'::text), id);
CREATE INDEX queue_message_subject ON public.queue_message USING gin (lower(subject) trgm.gin_trgm_ops);
CREATE INDEX queue_recipient_address ON public.queue_recipient USING btree (lower(recipient), queue_id);
CREATE INDEX queue_recipient_domain ON public.queue_recipient USING btree ("substring"(lower(recipient), '@[^@]*$'::text), queue_id);
CREATE INDEX queue_recipient_local ON public.queue_recipient USING btree ("substring"(lower(recipient), '^.*@'::text), queue_id);
CREATE INDEX queue_recipient_undo ON public.queue_recipient USING btree (undo_id, queue_id) WHERE (undo_id IS NOT NULL);
CREATE INDEX queue_removing ON public.queue_recipient USING btree (due_at) WHERE (state = ANY (ARRAY[2, 4]));
CREATE INDEX queue_undo_until ON public.queue_undo USING btree (until);
CREATE INDEX sent_at ON public.sent USING btree (at);
CREATE INDEX session_account ON public.session USING btree (account_id);
CREATE INDEX sieve_mark_until ON public.sieve_mark USING btree (until);
CREATE UNIQUE INDEX sieve_script_active ON public.sieve_script USING btree (account_id) WHERE (active AND (place = 0) AND (account_id IS NOT NULL));
CREATE INDEX sieve_script_domain ON public.sieve_script USING btree (domain_id) WHERE (domain_id IS NOT NULL);
CREATE UNIQUE INDEX sieve_script_name ON public.sieve_script USING btree (COALESCE(account_id, (0)::bigint), COALESCE(domain_id, (0)::bigint), place, name);
CREATE INDEX sieve_script_server ON public.sieve_script USING btree (place) WHERE ((account_id IS NULL) AND (domain_id IS NULL) AND active);
CREATE INDEX sign_in_log_hour ON public.sign_in_log USING btree (hour);
CREATE INDEX token_account ON public.token USING btree (account_id);
CREATE INDEX trace_account ON ONLY public.trace USING btree (account_id, at) WHERE (account_id IS NOT NULL);
CREATE INDEX trace_client ON ONLY public.trace USING btree (client, at) WHERE (client IS NOT NULL);
CREATE INDEX trace_default_account_id_at_idx ON public.trace_default USING btree (account_id, at) WHERE (account_id IS NOT NULL);
CREATE INDEX trace_default_client_at_idx ON public.trace_default USING btree (client, at) WHERE (client IS NOT NULL);
CREATE INDEX trace_id ON ONLY public.trace USING btree (id);
CREATE INDEX trace_default_id_idx ON public.trace_default USING btree (id);
CREATE INDEX trace_sender ON ONLY public.trace USING btree (lower(sender), at);
CREATE INDEX trace_default_lower_at_idx ON public.trace_default USING btree (lower(sender), at);
CREATE INDEX trace_subject ON ONLY public.trace USING gin (lower(subject) trgm.gin_trgm_ops);
CREATE INDEX trace_default_lower_idx ON public.trace_default USING gin (lower(subject) trgm.gin_trgm_ops);
CREATE INDEX trace_message_id ON ONLY public.trace USING btree (message_id) WHERE (message_id IS NOT NULL);
CREATE INDEX trace_default_message_id_idx ON public.trace_default USING btree (message_id) WHERE (message_id IS NOT NULL);
CREATE INDEX trace_kind ON ONLY public.trace USING btree (outcome, direction, at);
CREATE INDEX trace_default_outcome_direction_at_idx ON public.trace_default USING btree (outcome, direction, at);
CREATE INDEX trace_sender_local ON ONLY public.trace USING btree ("substring"(lower(sender), '^.*@'::text), at);
CREATE INDEX trace_default_substring_at_idx ON public.trace_default USING btree ("substring"(lower(sender), '^.*@'::text), at);
CREATE INDEX trace_sender_domain ON ONLY public.trace USING btree ("substring"(lower(sender), '@[^@]*$'::text), at);
CREATE INDEX trace_default_substring_at_idx1 ON public.trace_default USING btree ("substring"(lower(sender), '@[^@]*$'::text), at);
CREATE INDEX trace_event_time ON ONLY public.trace_event USING brin (happened_at);
CREATE INDEX trace_event_default_happened_at_idx ON public.trace_event_default USING brin (happened_at);
CREATE INDEX trace_event_id ON ONLY public.trace_event USING btree (trace_id, n);
CREATE INDEX trace_event_default_trace_id_n_idx ON public.trace_event_default USING btree (trace_id, n);
CREATE INDEX trace_recipient_account ON ONLY public.trace_recipient USING btree (account_id, at, trace_id) WHERE (account_id IS NOT NULL);
CREATE INDEX trace_recipient_address ON ONLY public.trace_recipient USING btree (lower(recipient), at);
CREATE INDEX trace_recipient_default_account_id_at_trace_id_idx ON public.trace_recipient_default USING btree (account_id, at, trace_id) WHERE (account_id IS NOT NULL);
CREATE INDEX trace_recipient_domain ON ONLY public.trace_recipient USING btree (domain, at);
CREATE INDEX trace_recipient_default_domain_at_idx ON public.trace_recipient_default USING btree (domain, at);
CREATE INDEX trace_recipient_default_lower_at_idx ON public.trace_recipient_default USING btree (lower(recipient), at);
CREATE INDEX trace_recipient_local ON ONLY public.trace_recipient USING btree ("substring"(lower(recipient), '^.*@'::text), at);
CREATE INDEX trace_recipient_default_substring_at_idx ON public.trace_recipient_default USING btree ("substring"(lower(recipient), '^.*@'::text), at);
ALTER INDEX public.trace_account ATTACH PARTITION public.trace_default_account_id_at_idx;
ALTER INDEX public.trace_client ATTACH PARTITION public.trace_default_client_at_idx;
ALTER INDEX public.trace_id ATTACH PARTITION public.trace_default_id_idx;
ALTER INDEX public.trace_sender ATTACH PARTITION public.trace_default_lower_at_idx;
ALTER INDEX public.trace_subject ATTACH PARTITION public.trace_default_lower_idx;
ALTER INDEX public.trace_message_id ATTACH PARTITION public.trace_default_message_id_idx;
ALTER INDEX public.trace_kind ATTACH PARTITION public.trace_default_outcome_direction_at_idx;
ALTER INDEX public.trace_pkey ATTACH PARTITION public.trace_default_pkey;
ALTER INDEX public.trace_sender_local ATTACH PARTITION public.trace_default_substring_at_idx;
ALTER INDEX public.trace_sender_domain ATTACH PARTITION public.trace_default_substring_at_idx1;
ALTER INDEX public.trace_event_time ATTACH PARTITION public.trace_event_default_happened_at_idx;
ALTER INDEX public.trace_event_pkey ATTACH PARTITION public.trace_event_default_pkey;
ALTER INDEX public.trace_event_id ATTACH PARTITION public.trace_event_default_trace_id_n_idx;
ALTER INDEX public.trace_recipient_account ATTACH PARTITION public.trace_recipient_default_account_id_at_trace_id_idx;
ALTER INDEX public.trace_recipient_domain ATTACH PARTITION public.trace_recipient_default_domain_at_idx;
ALTER INDEX public.trace_recipient_address ATTACH PARTITION public.trace_recipient_default_lower_at_idx;
ALTER INDEX public.trace_recipient_pkey ATTACH PARTITION public.trace_recipient_default_pkey;
ALTER INDEX public.trace_recipient_local ATTACH PARTITION public.trace_recipient_default_substring_at_idx;
ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_domain_id_fkey FOREIGN KEY (domain_id) REFERENCES public.domain(id);
ALTER TABLE ONLY public.account_network
    ADD CONSTRAINT account_network_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.account
    ADD CONSTRAINT account_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);
ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_alias_id_fkey FOREIGN KEY (alias_id) REFERENCES public.alias(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.address
    ADD CONSTRAINT address_domain_id_fkey FOREIGN KEY (domain_id) REFERENCES public.domain(id);
ALTER TABLE ONLY public.alias
    ADD CONSTRAINT alias_domain_id_fkey FOREIGN KEY (domain_id) REFERENCES public.domain(id);
ALTER TABLE ONLY public.alias_member
    ADD CONSTRAINT alias_member_alias_id_fkey FOREIGN KEY (alias_id) REFERENCES public.alias(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.alias
    ADD CONSTRAINT alias_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);
ALTER TABLE ONLY public.annotation
    ADD CONSTRAINT annotation_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.connection
    ADD CONSTRAINT connection_presence_id_fkey FOREIGN KEY (presence_id) REFERENCES public.presence(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.credential
    ADD CONSTRAINT credential_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.domain_admin
    ADD CONSTRAINT domain_admin_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.domain_admin
    ADD CONSTRAINT domain_admin_domain_id_fkey FOREIGN KEY (domain_id) REFERENCES public.domain(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.domain
    ADD CONSTRAINT domain_alias_of_fkey FOREIGN KEY (alias_of) REFERENCES public.domain(id);
ALTER TABLE ONLY public.domain_dns
    ADD CONSTRAINT domain_dns_domain_id_fkey FOREIGN KEY (domain_id) REFERENCES public.domain(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.domain
    ADD CONSTRAINT domain_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenant(id);
ALTER TABLE ONLY public.import_line
    ADD CONSTRAINT import_line_operation_id_fkey FOREIGN KEY (operation_id) REFERENCES public.import(operation_id) ON DELETE CASCADE;
ALTER TABLE ONLY public.import
    ADD CONSTRAINT import_operation_id_fkey FOREIGN KEY (operation_id) REFERENCES public.operation(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.operation_chunk
    ADD CONSTRAINT operation_chunk_operation_id_fkey FOREIGN KEY (operation_id) REFERENCES public.operation(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.owner_letter
    ADD CONSTRAINT owner_letter_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sieve_script
    ADD CONSTRAINT sieve_script_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sieve_script
    ADD CONSTRAINT sieve_script_domain_id_fkey FOREIGN KEY (domain_id) REFERENCES public.domain(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.sign_in
    ADD CONSTRAINT sign_in_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE;
ALTER TABLE ONLY public.token
    ADD CONSTRAINT token_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.account(id) ON DELETE CASCADE;

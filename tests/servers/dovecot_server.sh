#!/bin/sh
# A Dovecot of its own for the tests: its submission service, which takes logins by every mechanism
# it has and hands messages on to another server.
#
#   dovecot_server.sh DIRECTORY SUBMISSION SUBMISSIONS RELAY
#
# DIRECTORY holds certificate.pem and key.pem, the rest are ports on 127.0.0.1: two to listen on,
# with STARTTLS and with TLS from the first octet, and one of a server that takes the messages.
# Prints "ready", Dovecot's version, a token and an expired one when Dovecot listens, and stops it,
# removing DIRECTORY, at the end of its own input: when the test closes the pipe, or dies in whatever
# way. Needs root, because Dovecot does.
set -eu
# The keyboard's interrupt reaches the whole process group, and Dovecot must be stopped even then.
trap '' INT TERM HUP

directory=$1 submission=$2 submissions=$3 relay=$4

stop() {
    status=$?
    # A Dovecot that never started has nothing to stop.
    doveadm -c "$directory/dovecot.conf" stop >&2 || true
    rm -rf "$directory"
    exit "$status"
}
trap stop EXIT

chmod 755 "$directory"
mkdir -p "$directory/home" "$directory/run"
chown dovecot "$directory/home"

# Dovecot 2.4 reads another configuration than 2.3: first that of 2.3, with the comments.
configure_2_3() {
    cat >"$directory/dovecot.conf" <<END
base_dir = $directory/run
log_path = $directory/log
protocols = submission
listen = 127.0.0.1
hostname = mail.example.test
mail_location = maildir:$directory/home/mail
mail_uid = dovecot
mail_gid = dovecot
first_valid_uid = 1

ssl = yes
ssl_cert = <$directory/certificate.pem
ssl_key = <$directory/key.pem

# The password is kept as it is: each mechanism makes of it what it needs.
auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer
auth_failure_delay = 0
# Mechanisms that show no password go without TLS, the others do not.
disable_plaintext_auth = yes
passdb {
  driver = passwd-file
  args = $directory/users
}
passdb {
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = $directory/oauth2.conf
}
userdb {
  driver = static
  args = home=$directory/home uid=dovecot gid=dovecot
}

# Failed logins from one address are answered ever later, unless nobody counts them.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service submission-login {
  inet_listener submission {
    address = 127.0.0.1
    port = $submission
  }
  inet_listener submissions {
    address = 127.0.0.1
    port = $submissions
    ssl = yes
  }
}
submission_relay_host = 127.0.0.1
submission_relay_port = $relay
END
    cat >"$directory/oauth2.conf" <<END
introspection_mode = local
local_validation_key_dict = fs:posix:prefix=$directory/tokens/
username_attribute = sub
END
}

configure_2_4() {
    cat >"$directory/dovecot.conf" <<END
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = $directory/run
log_path = $directory/log
protocols = submission
listen = 127.0.0.1
hostname = mail.example.test
mail_driver = maildir
mail_path = $directory/home/mail
mail_uid = dovecot
mail_gid = dovecot
first_valid_uid = 1

ssl = yes
ssl_server_cert_file = $directory/certificate.pem
ssl_server_key_file = $directory/key.pem

auth_mechanisms = plain login cram-md5 scram-sha-1 scram-sha-256 xoauth2 oauthbearer
auth_failure_delay = 0
auth_allow_cleartext = no
passdb passwd-file {
  passwd_file_path = $directory/users
}
# Since 2.4 the mechanisms for tokens need no passdb.
oauth2 {
  introspection_mode = local
  username_attribute = sub
  oauth2_local_validation {
    dict fs {
      fs posix {
        prefix = $directory/tokens/
      }
    }
  }
}
userdb static {
  fields {
    home = $directory/home
    uid = dovecot
    gid = dovecot
  }
}

service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service submission-login {
  inet_listener submission {
    port = $submission
  }
  inet_listener submissions {
    port = $submissions
    ssl = yes
  }
}
submission_relay_host = 127.0.0.1
submission_relay_port = $relay
END
}

version=$(dovecot --version)
version=${version%% *}
case $version in
2.3.*) configure_2_3 ;;
*) configure_2_4 ;;
esac

cat >"$directory/users" <<END
alice@example.test:{PLAIN}wonderland
carol@example.test:{PLAIN}Grüße, Zoë
END

# A token is a JSON Web Token, which Dovecot judges by itself: whose it is, until when, and whether
# it is signed with the key in this place.
key=$(openssl rand -hex 32)
mkdir -p "$directory/tokens/default/HS256"
printf %s "$key" | base64 -w 0 >"$directory/tokens/default/HS256/default"

base64url() {
    base64 -w 0 | tr '+/' '-_' | tr -d '='
}

# alice's token, which expires so many seconds from now.
token() {
    head=$(printf '{"alg":"HS256","typ":"JWT"}' | base64url)
    body=$(printf '{"sub":"alice@example.test","exp":%d}' $(($(date +%s) + $1)) | base64url)
    printf '%s.%s.' "$head" "$body"
    printf '%s.%s' "$head" "$body" | openssl dgst -sha256 -hmac "$key" -binary | base64url
}

if ! dovecot -c "$directory/dovecot.conf" >&2; then
    cat "$directory/log" >&2
    exit 1
fi
echo "ready $version $(token 86400) $(token -86400)"
cat >/dev/null

#!/usr/bin/env perl
# Kills a script again and again and lets it go on, until it was killed so
# many times; then what it did outside is counted, and its answer compared
# with that of a script nobody killed.
#
#   scripts.pl ERRAND ENDPOINT KILLS SEED      (SEED 0: another each time)
#
# The script maps over 50 items; for each another agent asks the model, calls
# a keyed tool and an unsafe one. The unsafe tool writes a line to a ledger
# and nothing guards it from doing so twice but errand. Where the outcome of
# a call is unknown, a person looks: here the ledger is read. Speaks TAP.
use strict;
use warnings;
use Cwd qw(abs_path);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Handle;
use JSON::PP qw(decode_json);
use POSIX ();
use Time::HiRes qw(sleep time);

my ($errand, $endpoint, $kills, $seed) = @ARGV;
die "scripts.pl ERRAND ENDPOINT KILLS SEED\n" if !defined $seed;
$errand = abs_path($errand);
$endpoint = abs_path($endpoint);
$seed ||= time ^ $$;
srand $seed;
STDOUT->autoflush(1);
print "# seed $seed\n";

my $ITEMS = 50;
my $top = tempdir('errand-scripts-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chdir $top or die "$top: $!\n";
$ENV{HOME} = $top;
delete @ENV{qw(XDG_DATA_HOME XDG_CONFIG_HOME ERRAND_MODEL ERRAND_STORE)};

sub put {
    my ($path, $text) = @_;
    open my $out, '>', $path or die "$path: $!\n";
    print $out $text;
    close $out or die "$path: $!\n";
}

sub slurp {
    my ($path) = @_;
    open my $in, '<', $path or return '';
    local $/;
    return scalar(<$in>) // '';
}

# --- what runs

sub tool {
    my ($name, $effect, $body) = @_;
    put("tools/$name.lua", <<END);
return { name = "$name", description = "for the soak", effect = "$effect",
  parameters = { type = "object", properties = { n = { type = "integer" } },
    required = { "n" } },
  permissions = { read = { "./ledger" }, write = { "./ledger" } },
  run = function(args, ctx) $body end }
END
}

make_path('tools', 'agents', 'ledger/keys');
tool('send', 'unsafe', 'ctx.fs.append("ledger/sent", args.n .. "\n")
    return "sent " .. args.n');
tool('book', 'keyed', 'local path = "ledger/keys/" .. ctx.idempotency_key
    ctx.fs.write(path, tostring(args.n))
    return { booked = args.n }');
put('agents/item.lua', <<'END');
return { description = "one item", tools = { "send", "book" },
  parameters = { type = "object", properties = { n = { type = "integer" } },
    required = { "n" } },
  run = function(ctx, input)
    local said = ctx.ask("item " .. input.n)
    local booked = ctx.tool("book", { n = input.n }).booked
    return { said = said, booked = booked,
      sent = ctx.tool("send", { n = input.n }) }
  end }
END
put('agents/soak.lua', <<'END');
return { description = "all items", model = "openai:echo",
  parameters = { type = "object", properties = {
    items = { type = "integer" } }, required = { "items" } },
  run = function(ctx, input)
    local numbers = {}
    for i = 1, input.items do numbers[i] = i end
    local dice = ctx.random(1000000)
    local done = ctx.map(numbers, function(n)
      return ctx.agent("item", { n = n })
    end)
    local lines = {}
    for i, d in ipairs(done) do
      lines[i] = d.said .. "/" .. d.booked .. "/" .. d.sent
    end
    assert(dice >= 1 and dice <= 1000000)
    return table.concat(lines, ", ")
  end }
END
my $wanted = join ', ', map { "item $_/$_/sent $_" } 1 .. $ITEMS;

# --- the endpoint

pipe my $hold, my $held or die "pipe: $!\n";
my $served = open my $port, '-|';
die "fork: $!\n" if !defined $served;
if (!$served) {
    close $held;
    POSIX::dup2(fileno $hold, 0);
    exec $endpoint, '--port', 0, '--until-eof' or die "$endpoint: $!\n";
}
close $hold;
my $line = <$port>;
$line =~ /port (\d+)/ or die "the endpoint said: $line\n";
$ENV{OPENAI_BASE_URL} = "http://127.0.0.1:$1/v1";
$ENV{OPENAI_API_KEY} = 'none';

# --- running and killing

# Start a command; its output goes to files. Gives the process.
sub start {
    my @words = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', 'out';
        open STDERR, '>', 'err';
        exec $errand, @words or POSIX::_exit(127);
    }
    return $pid;
}

# Wait; kill it after so many seconds (0: never). True: it was killed.
sub finish {
    my ($pid, $after) = @_;
    my $until = time + $after;
    while ($after) {
        return $? == 9 if waitpid($pid, POSIX::WNOHANG()) == $pid;
        last if time >= $until;
        sleep 0.002;
    }
    kill 'KILL', $pid if $after;
    waitpid $pid, 0;
    return ($? & 127) == 9;
}

my @COMMON = ('--store', "$top/s.db", '--grant', '*', '-q');

# Calls whose outcome nobody knows: look whether they took effect.
sub look {
    my ($top_run) = @_;
    my %sent = map { $_ => 1 } split /\n/, slurp('ledger/sent');
    my $settled = 0;
    my @left = ($top_run);
    while (defined(my $id = shift @left)) {
        my $json = `'$errand' log show $id --json --store '$top/s.db'`;
        my $shown = decode_json($json)->{runs}[0];
        push @left, grep { defined } map { $_->{run} }
            grep { $_->{state} eq 'open' } @{$shown->{steps} // []};
        for my $call (grep { $_->{state} eq 'unknown' } @{$shown->{calls}}) {
            my $n = $call->{arguments}{n};
            my @say = $sent{$n} ? ('--done', $call->{id}, "sent $n")
                                : ('--not-done', $call->{id});
            system($errand, 'log', 'resolve', '--store', "$top/s.db", '-q',
                @say) == 0 or die "cannot settle $call->{id}\n";
            $settled++;
        }
    }
    return $settled;
}

my ($killed, $runs, $bad, $unknown, $length) = (0, 0, 0, 0, 0);
my @wrong;

sub count_effects {
    my ($run) = @_;
    my %n;
    $n{$_}++ for split /\n/, slurp('ledger/sent');
    for my $i (1 .. $ITEMS) {
        push @wrong, "run $run: item $i was sent " . ($n{$i} // 0) . ' times'
            if ($n{$i} // 0) != 1;
    }
    my %booked;
    $booked{slurp($_)}++ for glob 'ledger/keys/*';
    for my $i (1 .. $ITEMS) {
        push @wrong, "run $run: item $i was booked "
            . ($booked{$i} // 0) . ' times' if ($booked{$i} // 0) != 1;
    }
}

# One run to its end, killed on its way as often as it likes.
sub one_run {
    my ($may_kill) = @_;
    unlink 'ledger/sent', glob 'ledger/keys/*';
    my @words = ('run', '-a', 'soak', '-p', "items=$ITEMS", '--key',
        "soak-$runs", '--json', @COMMON);
    my $began = time;
    for my $try (1 .. 5000) {
        my $kill = $may_kill && $killed < $kills;
        my $after = $kill ? 0.02 + rand($length > 0.2 ? $length : 0.2) : 0;
        if (finish(start(@words), $after)) {
            $killed++;
            next;
        }
        my $status = $? >> 8;
        last if $status == 0;
        my $run = (eval { decode_json(slurp('out')) } // {})->{run};
        if ($status == 3 && $run) {
            my $settled = look($run);
            $unknown += $settled;
            next if $settled;
        }
        push @wrong, "run $runs ended with $status: " . slurp('err');
        last;
    }
    $length ||= time - $began;
    my $said = eval { decode_json(slurp('out')) } // {};
    my $answer = $said->{answer} // '';
    push @wrong, "run $runs answered: $answer" if $answer ne $wanted;
    count_effects($runs);
    $runs++;
}

one_run(0); # nobody kills this one: so long it takes
my $calm = !@wrong;
one_run(1) while $killed < $kills && @wrong < 20;

print "1..4\n";
my $n = 0;
sub ok {
    my ($good, $what) = @_;
    $n++;
    $bad++ if !$good;
    print $good ? 'ok' : 'not ok', " $n - $what\n";
}
ok($calm, 'a script that nobody kills does each thing once');
ok($killed >= $kills, "$killed kills in " . ($runs - 1)
    . " runs, $unknown outcomes looked after");
ok(!(grep { /sent|booked/ } @wrong),
    'each effect outside came exactly once');
ok(!(grep { !/sent \d+ times|booked/ } @wrong),
    'each answer is that of a script that nobody kills');
print "# $_\n" for @wrong;
close $held;
exit($bad ? 1 : 0);

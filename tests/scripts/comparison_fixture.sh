# shellcheck shell=bash
# A comparison as `skipnet compare --out` writes it, by hand: depth 10 and 100 by skip none and add by two seeds.  Of
# add at depth 100 one seed diverged; with none at depth 100 the first layer's gradient is exactly zero at the end.

numbers=steps,train_loss,train_accuracy,test_loss,test_accuracy,log10_delta_ratio,decades_per_layer,n_hidden
numbers+=,frozen_layers_start,frozen_layers_end,wall_s,stalled_frac_start,stalled_frac_end
numbers+=,log10_delta_first_start,log10_delta_first_end,frozen_share_start,frozen_share_end,reason,equal_to
figures=n_runs,n_diverged,mean,sd,median,min,max,ci95_low,ci95_high,n_unfinished,n_missing,n_failed,n_running
statistics=metric,$figures

make_runs_csv() {
    echo "run,network.depth,network.skip.kind,seed,status,$numbers"
    echo '"c/depth=10,skip=add,seed=1",10,add,1,done,8,1,0.5,1.5,0.5,-0.5,-0.05,10,0,0,0.1,0,0,-1,-1,0,0,,'
    echo '"c/depth=10,skip=add,seed=2",10,add,2,done,8,1.5,0.75,2,0.5,-0.5,-0.05,10,0,0,0.1,0,0,-1,-1.5,0,0,,'
    echo '"c/depth=100,skip=add,seed=1",100,add,1,done,8,1,0.5,1.5,0.5,-0.5,-0.05,100,0,0,0.1,0,0,-2,-2,0,0,,'
    echo '"c/depth=100,skip=add,seed=2",100,add,2,diverged,3,900,0.5,900,0.5,-0.5,-0.05,100,0,0,0.1,0,0,-2,5,0,0,,'
    echo '"c/depth=10,skip=none,seed=1",10,none,1,done,8,2,0.25,2,0.25,-3,-0.3,10,1,1,0.1,0.1,0.1,-4,-4,0.1,0.1,,'
    echo '"c/depth=10,skip=none,seed=2",10,none,2,done,8,2.5,0.25,2,0.25,-3,-0.3,10,2,2,0.1,0.1,0.1,-4,-4.5,0.2,0.2,,'
    echo '"c/depth=100,skip=none,seed=1",100,none,1,done,8,3,0.25,3,0.25,-30,-0.3,100,90,90,0.1,0.9,0.9,-31,-inf,0.9,0.9,,'
    echo '"c/depth=100,skip=none,seed=2",100,none,2,done,8,3,0.25,3,0.25,-32,-0.3,100,90,90,0.1,0.9,0.9,-33,-inf,0.9,0.9,,'
}

make_summary_csv() {
    echo "network.depth,network.skip.kind,$statistics"
    echo "100,add,train_loss,2,1,,,450.5,1,900,,,0,0,0,0"
    echo "100,add,test_loss,2,1,,,450.75,1.5,900,,,0,0,0,0"
    echo "100,add,log10_delta_first_start,2,1,,,-2,-2,-2,,,0,0,0,0"
    echo "100,add,log10_delta_first_end,2,1,,,1.5,-2,5,,,0,0,0,0"
    echo "100,none,train_loss,2,0,3,0,3,3,3,3,3,0,0,0,0"
    echo "100,none,test_loss,2,0,3,0,3,3,3,3,3,0,0,0,0"
    echo "100,none,train_accuracy,2,0,0.25,0,0.25,0.25,0.25,0.25,0.25,0,0,0,0"
    echo "100,none,log10_delta_ratio,2,0,-31,1.41,-31,-32,-30,-43.7,-18.3,0,0,0,0"
    echo "100,none,frozen_share_end,2,0,0.9,0,0.9,0.9,0.9,0.9,0.9,0,0,0,0"
    echo "100,none,log10_delta_first_start,2,0,-32,1.41,-32,-33,-31,-44.7,-19.3,0,0,0,0"
    echo "100,none,log10_delta_first_end,2,0,-inf,nan,-inf,-inf,-inf,nan,nan,0,0,0,0"
    echo "10,add,train_loss,2,0,1.25,0.354,1.25,1,1.5,-1.93,4.43,0,0,0,0"
    echo "10,add,test_loss,2,0,1.75,0.354,1.75,1.5,2,-1.43,4.93,0,0,0,0"
    echo "10,add,train_accuracy,2,0,0.625,0.177,0.625,0.5,0.75,-0.96,2.21,0,0,0,0"
    echo "10,add,log10_delta_first_start,2,0,-1,0,-1,-1,-1,-1,-1,0,0,0,0"
    echo "10,add,log10_delta_first_end,2,0,-1.25,0.354,-1.25,-1.5,-1,-4.43,1.93,0,0,0,0"
    echo "10,none,train_loss,2,0,2.25,0.354,2.25,2,2.5,-0.93,5.43,0,0,0,0"
    echo "10,none,test_loss,2,0,2,0,2,2,2,2,2,0,0,0,0"
    echo "10,none,train_accuracy,2,0,0.25,0,0.25,0.25,0.25,0.25,0.25,0,0,0,0"
    echo "10,none,log10_delta_ratio,2,0,-3,0,-3,-3,-3,-3,-3,0,0,0,0"
    echo "10,none,frozen_share_end,2,0,0.15,0.07,0.15,0.1,0.2,-0.485,0.785,0,0,0,0"
    echo "10,none,log10_delta_first_start,2,0,-4,0,-4,-4,-4,-4,-4,0,0,0,0"
    echo "10,none,log10_delta_first_end,2,0,-4.25,0.354,-4.25,-4.5,-4,-7.43,-1.07,0,0,0,0"
}

# Two layers a run: delta_rms of the first is 10^-SEED, of the second 1, and zero at the end of none at depth 100.
make_profiles_csv() {
    local depth skip seed step first
    echo "run,network.depth,network.skip.kind,seed,step,layer,label,op,role,depth_frac,n_params,delta_rms"
    for depth in 10 100; do
        for skip in add none; do
            for seed in 1 2; do
                for step in 0 7; do
                    first=1e-$seed
                    [[ $depth$skip$step != 100none7 ]] || first=0
                    echo "\"c/depth=$depth,skip=$skip,seed=$seed\",$depth,$skip,$seed,$step,1,h1,linear,hidden,0,9,$first"
                    echo "\"c/depth=$depth,skip=$skip,seed=$seed\",$depth,$skip,$seed,$step,2,h2,linear,hidden,1,9,1"
                    echo "\"c/depth=$depth,skip=$skip,seed=$seed\",$depth,$skip,$seed,$step,3,out,linear,output,,9,1e9"
                done
            done
        done
    done
}

# The statistics of log10 delta_rms over the two seeds of profiles.csv.
make_layers_csv() {
    local depth skip step
    echo "network.depth,network.skip.kind,step,layer,depth_frac,$figures"
    for depth in 10 100; do
        for skip in none add; do
            for step in 0 7; do
                if [[ $depth$skip$step == 100none7 ]]; then
                    echo "$depth,$skip,$step,1,0,2,0,-inf,nan,-inf,-inf,-inf,nan,nan,0,0,0,0"
                elif [[ $depth$skip == 100add ]]; then
                    echo "$depth,$skip,$step,1,0,2,1,,,-1.5,-2,-1,,,0,0,0,0"
                else
                    echo "$depth,$skip,$step,1,0,2,0,-1.5,0.707,-1.5,-2,-1,-7.85,4.85,0,0,0,0"
                fi
                echo "$depth,$skip,$step,2,1,2,0,0,0,0,0,0,0,0,0,0,0,0"
            done
        done
    done
}

make_package() { # [MEMBER-OF-VALUES [AXIS]]: what the data package says beside the columns
    printf '{"description": "Skipnet runs side by side", "values": {"network.depth": ["10", "100"],\n'
    printf '"network.skip.kind": ["none", "add"], %s"seed": ["1", "2"]}, "axes": ["network.depth"%s]}\n' "$@"
}

make_comparison() { # DIR
    mkdir -p "$1"
    make_package "" "" >"$1/datapackage.json"
    make_layers_csv >"$1/layers.csv"
    make_runs_csv >"$1/runs.csv"
    make_summary_csv >"$1/summary.csv"
    make_profiles_csv >"$1/profiles.csv"
}

# A grid point, depth 1000 with add, of which no run is finished, and the columns that count such runs.
add_awaited() { # DIR
    local metric
    {
        cat "$1/summary.csv"
        for metric in train_loss test_loss frozen_share_end log10_delta_first_end; do
            echo "1000,add,$metric,0,0,,,,,,,,4,2,1,1"
        done
    } >"$1/next"
    mv "$1/next" "$1/summary.csv"
    sed -i 's/"10", "100"/"10", "100", "1000"/' "$1/datapackage.json"
}

# A numeric key more in every file, train.lr 0.01 and 0.1, with which everything is the same.
add_rates() { # DIR
    local file
    for file in runs summary profiles layers; do
        sed -E -e '1s/network\.skip\.kind/&,train.lr/' \
            -e '2,$s/^((".*",)?[0-9]+,(add|none)),(.*)$/\1,0.01,\4\n\1,0.1,\4/' "$1/$file.csv" >"$1/next"
        mv "$1/next" "$1/$file.csv"
    done
    make_package '"train.lr": ["0.01", "0.1"], ' ', "train.lr"' >"$1/datapackage.json"
}
